/** The reference for sign-ins: bare Bun.password.verify calls, a given number at once. */
import type { Figures } from './measure'
import { median } from './measure'
import { memoryMb } from './servers'

const [hash = '', password = '', atOnce = '1', seconds = '1'] = process.argv.slice(2)
const latenciesMs: number[] = []
const startedAt = performance.now()
const endsAt = startedAt + Number(seconds) * 1000
await Promise.all(Array.from({ length: Number(atOnce) }, verifyOn))

async function verifyOn() {
  while (performance.now() < endsAt) {
    const begunAt = performance.now()
    if (!(await Bun.password.verify(password, hash))) throw new Error('the password does not match the hash')
    latenciesMs.push(performance.now() - begunAt)
  }
}

const elapsedSeconds = (performance.now() - startedAt) / 1000
const { user, system } = process.cpuUsage()
const figures: Figures = {
  answered: latenciesMs.length,
  failed: 0,
  seconds: elapsedSeconds,
  perSecond: latenciesMs.length / elapsedSeconds,
  p50Ms: median(latenciesMs),
  p99Ms: latenciesMs.sort((a, b) => a - b)[Math.floor((latenciesMs.length - 1) * 0.99)] ?? Number.NaN,
  cpuMsPerRequest: (user + system) / 1000 / latenciesMs.length,
  peakMemoryMb: memoryMb(process.pid, 'VmHWM'),
}
process.stdout.write(`${JSON.stringify(figures)}\n`)
