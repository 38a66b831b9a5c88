/** Replaces wrk if that is missing: the same requests in turn on as many connections, at a higher cost in CPU. */
import { NEW_NUMBER, type Outcome, type RawRequest } from './drive'

type Order = {
  port: number
  requests: RawRequest[]
  firstNumber: number
  connections: number
  seconds: number
}

const { port, requests, firstNumber, connections, seconds }: Order = await Bun.file(
  process.argv[2] ?? '',
).json()
const latenciesMs: number[] = []
let failed = 0
let place = 0
let number = firstNumber

const startedAt = performance.now()
const endsAt = startedAt + seconds * 1000
await Promise.all(Array.from({ length: connections }, work))

async function work() {
  while (performance.now() < endsAt) {
    const request = requests[place++ % requests.length]
    if (request !== undefined) await send(request)
  }
}

async function send({ method, path, headers, body }: RawRequest) {
  const sentAt = performance.now()
  try {
    const text = body.includes(NEW_NUMBER) ? body.replace(NEW_NUMBER, String(++number)) : body
    const url = `http://127.0.0.1:${port}${path}`
    const response = await fetch(url, { method, headers, body: text === '' ? undefined : text })
    await response.arrayBuffer()
    if (response.status >= 400) failed++
    else latenciesMs.push(performance.now() - sentAt)
  } catch {
    failed++
  }
}

latenciesMs.sort((a, b) => a - b)
const percentile = (share: number) => latenciesMs[Math.floor((latenciesMs.length - 1) * share)] ?? Number.NaN
const outcome: Outcome = {
  answered: latenciesMs.length,
  failed,
  seconds: (performance.now() - startedAt) / 1000,
  p50Ms: percentile(0.5),
  p99Ms: percentile(0.99),
}
process.stdout.write(`${JSON.stringify(outcome)}\n`)
