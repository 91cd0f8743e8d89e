#include <stddef.h>

#include "shim.h"

#define SAME_PLACE(field)                                                                                              \
	_Static_assert(offsetof(struct shim_mbuf, field) == offsetof(struct rte_mbuf, field), #field " moved");        \
	_Static_assert(sizeof(((struct shim_mbuf *)0)->field) == sizeof(((struct rte_mbuf *)0)->field), #field " grew")

SAME_PLACE(buf_addr);
SAME_PLACE(data_off);
SAME_PLACE(refcnt);
SAME_PLACE(nb_segs);
SAME_PLACE(port);
SAME_PLACE(ol_flags);
SAME_PLACE(packet_type);
SAME_PLACE(pkt_len);
SAME_PLACE(data_len);
SAME_PLACE(vlan_tci);
SAME_PLACE(hash);
SAME_PLACE(vlan_tci_outer);
SAME_PLACE(buf_len);
SAME_PLACE(pool);
_Static_assert(sizeof(struct shim_mbuf) == RTE_CACHE_LINE_MIN_SIZE, "the hot part is the first cache line");

int shim_errno(void)
{
	return rte_errno;
}

int shim_lcore_id(void)
{
	return (int)rte_lcore_id();
}

uint64_t shim_tsc(void)
{
	return rte_rdtsc();
}

const char *shim_header_version(void)
{
	return RTE_VER_PREFIX " " RTE_STR(RTE_VER_YEAR) "." RTE_STR(RTE_VER_MONTH) "." RTE_STR(RTE_VER_MINOR);
}

uint16_t shim_rx_burst(uint16_t port, uint16_t queue, struct rte_mbuf **mbufs, uint16_t n)
{
	return rte_eth_rx_burst(port, queue, mbufs, n);
}

uint16_t shim_tx_burst(uint16_t port, uint16_t queue, struct rte_mbuf **mbufs, uint16_t n)
{
	return rte_eth_tx_burst(port, queue, mbufs, n);
}

struct rte_mbuf *shim_mbuf_alloc(struct rte_mempool *pool)
{
	return rte_pktmbuf_alloc(pool);
}

void shim_mbuf_free(struct rte_mbuf *mbuf)
{
	rte_pktmbuf_free(mbuf);
}

uint16_t shim_data_room(struct rte_mempool *pool)
{
	return rte_pktmbuf_data_room_size(pool);
}

uint16_t shim_headroom(void)
{
	return RTE_PKTMBUF_HEADROOM;
}

int shim_link(uint16_t port, uint32_t *mbps)
{
	struct rte_eth_link link;
	int error = rte_eth_link_get_nowait(port, &link);
	*mbps = error ? UINT32_MAX : link.link_speed;
	return error ? error : link.link_status;
}

uint64_t shim_rss_types(void)
{
	return RTE_ETH_RSS_IP | RTE_ETH_RSS_UDP;
}
