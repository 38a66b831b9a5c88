import { NEW_NUMBER, type RawRequest } from './drive'

/**
 * A script for wrk: sends the requests in turn and prints one line of JSON at the end. In turn rather
 * than at random, so that two connections never change the same movie at once.
 */
export const wrkScript = (requests: readonly RawRequest[], port: number, firstNumber: number) => `
local requests = {
${requests.map((request) => luaString(wireText(request, port))).join(',\n')}
}
local numbered = {}
for i, text in ipairs(requests) do numbered[i] = text:find("${NEW_NUMBER}", 1, true) ~= nil end

local place = 0
local number = ${firstNumber}
function request()
  place = place % #requests + 1
  local text = requests[place]
  if not numbered[place] then return text end
  number = number + 1
  return (text:gsub("${NEW_NUMBER}", tostring(number)))
end

function done(summary, latency)
  local broken = summary.errors
  print(string.format(
    '{"answered":%d,"failed":%d,"seconds":%.6f,"p50Ms":%.3f,"p99Ms":%.3f}',
    summary.requests - broken.status,
    broken.status + broken.connect + broken.read + broken.write + broken.timeout,
    summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
`

function wireText({ method, path, headers, body }: RawRequest, port: number): string {
  const lines = Object.entries({ Host: `127.0.0.1:${port}`, ...headers }).map(
    ([name, value]) => `${name}: ${value}`,
  )
  if (body !== '') lines.push(`Content-Length: ${Buffer.byteLength(body)}`)
  return `${method} ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${body}`
}

/** The JSON escapes that occur here are valid in Lua too. */
const luaString = (text: string) => JSON.stringify(text)
