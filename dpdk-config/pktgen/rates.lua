-- Replay a capture of GENEVE frames at rising rates and find the highest without loss.
--
-- Port 0 faces the appliance: what leaves it comes back reflected. A step is one rate for STEP seconds; it passes if all
-- but one frame in a thousand came back. After the first step that fails, the interval between the last two is halved
-- until it is less than one percent of the line rate wide. One line per step, the answer in the last.
package.path = package.path .. ";?.lua;test/?.lua;app/?.lua;"
require "Pktgen"

local PORT = "0"
local STEP = 2000 -- milliseconds
local SETTLE = 500 -- for frames under way
local LOSS = 0.001

local function counted()
    local stats = pktgen.portStats(PORT, "port")[0]
    return stats.opackets, stats.ipackets
end

-- Sent and returned frames per second at `rate` percent of the line rate.
local function step(rate)
    pktgen.set(PORT, "rate", rate)
    local sent, came = counted()
    pktgen.start(PORT)
    pktgen.delay(STEP)
    pktgen.stop(PORT)
    pktgen.delay(SETTLE)
    local sent_after, came_after = counted()
    sent, came = sent_after - sent, came_after - came
    local lost = sent > 0 and 1 - came / sent or 1
    print(string.format("STEP rate=%.2f%% sent_pps=%d returned_pps=%d loss=%.4f", rate, sent * 1000 // STEP,
        came * 1000 // STEP, lost))
    return lost <= LOSS, sent * 1000 // STEP
end

pktgen.screen("off")
pktgen.pcap(PORT, "enable")
pktgen.set(PORT, "count", 0)
step(1) -- the flows begin

local good, bad, best = 0, 100, 0
local passed, pps = step(100)
if passed then
    good, best = 100, pps
end
while bad - good > 1 and good < 100 do
    local rate = (good + bad) / 2
    passed, pps = step(rate)
    if passed then
        good, best = rate, pps
    else
        bad = rate
    end
end
print(string.format("NO-DROP rate=%.2f%% pps=%d", good, best))
pktgen.quit()
