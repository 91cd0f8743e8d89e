/*
 * What of DPDK has no symbol to link against (static inline functions, macros, thread-local variables), given one each;
 * and the few bytes of a mbuf that are read and written from Rust. Declarations here, definitions in shim.c; no logic.
 */
#ifndef SLUICE_SHIM_H
#define SLUICE_SHIM_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>
#include <rte_timer.h>
#include <rte_version.h>

/*
 * The hot part of struct rte_mbuf, as far as every DPDK from 22.11 to 24.11 has it at the same place. bindgen cannot
 * follow the original: 24.11 turned its markers into anonymous unions. shim.c asserts each offset against the headers
 * it is compiled with. `next` is not here: it moves with RTE_IOVA_IN_MBUF.
 */
struct shim_mbuf {
	void *buf_addr;
	uint64_t iova_or_next;
	uint16_t data_off;
	uint16_t refcnt;
	uint16_t nb_segs;
	uint16_t port;
	uint64_t ol_flags;
	uint32_t packet_type;
	uint32_t pkt_len;
	uint16_t data_len;
	uint16_t vlan_tci;
	uint32_t hash[2];
	uint16_t vlan_tci_outer;
	uint16_t buf_len;
	struct rte_mempool *pool;
};

/* rte_errno of the calling thread: a thread-local variable. */
int shim_errno(void);

/* The thread's lcore id, or -1 for a thread that EAL does not know: inline, over a thread-local variable. */
int shim_lcore_id(void);

/* The time stamp counter: inline. */
uint64_t shim_tsc(void);

/* The release DPDK's headers were of at compile time, e.g. "DPDK 22.11.11": a macro. */
const char *shim_header_version(void);

/* At most `n` mbufs from a receive queue, and how many: inline. */
uint16_t shim_rx_burst(uint16_t port, uint16_t queue, struct rte_mbuf **mbufs, uint16_t n);

/* Up to `n` mbufs to a transmit queue; the first ones, as many as it returns, are the driver's now: inline. */
uint16_t shim_tx_burst(uint16_t port, uint16_t queue, struct rte_mbuf **mbufs, uint16_t n);

/* An empty mbuf, or NULL when the pool is exhausted: inline. */
struct rte_mbuf *shim_mbuf_alloc(struct rte_mempool *pool);

/* Frees a mbuf and every segment chained to it: inline. */
void shim_mbuf_free(struct rte_mbuf *mbuf);

/* Room for data in a mbuf of this pool, headroom included, in bytes: inline. */
uint16_t shim_data_room(struct rte_mempool *pool);

/* Bytes in front of the data of a fresh mbuf: a macro that moved between headers. */
uint16_t shim_headroom(void);

/* 1 link up, 0 down, negative errno; speed in Mbit/s, UINT32_MAX unknown. struct rte_eth_link has bit fields, and from
 * 24.11 on an anonymous union. */
int shim_link(uint16_t port, uint32_t *mbps);

/* The RSS types of an outer IPv4/UDP frame, as bits of rss_hf: macros. */
uint64_t shim_rss_types(void);

#endif
