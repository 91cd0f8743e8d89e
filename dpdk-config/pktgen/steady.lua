-- Replay a capture of GENEVE frames at one rate and print, once a second, what goes and what comes back.
--
-- RATE (percent of the line rate) and SECONDS come from the environment: latency is then read beside it, see README.md.
package.path = package.path .. ";?.lua;test/?.lua;app/?.lua;"
require "Pktgen"

local PORT = "0"
local rate = tonumber(os.getenv("RATE") or "10")
local seconds = tonumber(os.getenv("SECONDS") or "10")

pktgen.screen("off")
pktgen.pcap(PORT, "enable")
pktgen.set(PORT, "count", 0)
pktgen.set(PORT, "rate", rate)
pktgen.start(PORT)
for second = 1, seconds do
    pktgen.delay(1000)
    local now = pktgen.portStats(PORT, "rate")[0]
    print(string.format("%3d tx_pps=%d rx_pps=%d tx_mbps=%d rx_mbps=%d", second, now.pkts_tx, now.pkts_rx, now.mbits_tx,
        now.mbits_rx))
end
pktgen.stop(PORT)
pktgen.quit()
