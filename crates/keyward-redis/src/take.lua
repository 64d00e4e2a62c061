-- Takes one request off every limit, or off none of them.
--
-- KEYS are the schedules; ARGV holds for each how far one request moves it and how far ahead it may lie,
-- in microseconds. The answer is 1 or 0, and how far ahead each lies then. All numbers are whole ones
-- below 2^53, which Lua counts exactly.
--
-- Whatever a name holds that is no schedule counts as nothing, and is written over: it would stay an error
-- for whoever it concerns, and one client's bad value is no reason to do without Redis.

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])

local function put(key, ahead)
    -- It may go once it has passed.
    local millis = string.format('%.0f', math.max(1, math.ceil(ahead / 1000)))
    redis.call('SET', key, string.format('%.0f', now + ahead), 'PX', millis)
end

local passed = 1
local ahead, interval = {}, {}
for place, key in ipairs(KEYS) do
    interval[place] = tonumber(ARGV[2 * place - 1])
    local tolerance = tonumber(ARGV[2 * place])
    local schedule = redis.pcall('GET', key)
    if type(schedule) == 'table' and not string.find(schedule.err, '^%-?WRONGTYPE') then
        return schedule
    end
    local lies = 0
    if type(schedule) == 'string' and #schedule <= 16 and string.find(schedule, '^%d+$') then
        lies = math.max(0, tonumber(schedule) - now)
        -- No request moves it further. The clock has gone back, and nobody shall wait for that to pass.
        local furthest = tolerance + interval[place]
        if lies > furthest then
            lies = furthest
            put(key, lies)
        end
    end
    if lies > tolerance then
        passed = 0
    end
    ahead[place] = lies
end

local answer = { passed }
if passed == 1 then
    -- Two limits may have one schedule: the slower one moves it.
    local moved = {}
    for place, key in ipairs(KEYS) do
        moved[key] = math.max(moved[key] or 0, ahead[place] + interval[place])
    end
    for key, lies in pairs(moved) do
        put(key, lies)
    end
    for place, key in ipairs(KEYS) do
        ahead[place] = moved[key]
    end
end
for place = 1, #KEYS do
    answer[place + 1] = ahead[place]
end
return answer
