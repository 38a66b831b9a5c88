import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { watched } from './processes'

/** A server under load. Both kinds serve the same calls, with different tokens. */
export type Server = {
  readonly label: string
  readonly port: number
  readonly pid: number
  /** Indexed by the bench's users; see users.ts. */
  readonly tokens: readonly string[]
  stop(): Promise<void>
}
export type Launch = { label: string; command: string[]; env: Record<string, string>; logFile: string }

const START_TIMEOUT_MS = 30_000
const POLL_EVERY_MS = 2

/** Starts a server on a free port and waits for its first 200; `startedMs` is how long that took. */
export async function launch(
  { label, command, env, logFile }: Launch,
  tokens: readonly string[] = [],
): Promise<Server & { startedMs: number }> {
  const port = freePort()
  const startedAt = performance.now()
  const child = watched(
    Bun.spawn(command, {
      // Without our environment, so that no leftover variable configures a server.
      env: { PATH: process.env.PATH, HOST: '127.0.0.1', PORT: String(port), ...env },
      stdin: 'ignore',
      stdout: Bun.file(logFile),
      stderr: Bun.file(`${logFile}.err`),
    }),
  )
  async function stop() {
    child.kill('SIGKILL')
    await child.exited
  }
  while (!(await answers(port))) {
    const isLate = performance.now() - startedAt > START_TIMEOUT_MS
    if (child.exitCode !== null || isLate) {
      await stop()
      throw new Error(`${label} did not start: ${await Bun.file(`${logFile}.err`).text()}`)
    }
    await Bun.sleep(POLL_EVERY_MS)
  }
  return { label, port, pid: child.pid, tokens, stop, startedMs: performance.now() - startedAt }
}

const answers = (port: number) =>
  fetch(`http://127.0.0.1:${port}/v1/healthcheck`).then(
    ({ ok }) => ok,
    () => false,
  )

/** What deploy/redlight.service and the image set for the engine. */
const AS_DEPLOYED = { BUN_JSC_forceRAMSize: '1073741824' }

export function redlight(executable: string, databaseUrl: string, jwtSecret: string, folder: string): Launch {
  return {
    label: 'redlight',
    command: [executable, 'serve'],
    env: { ...AS_DEPLOYED, DATABASE_URL: databaseUrl, JWT_SECRET: jwtSecret, LIMITER_ENABLED: 'false' },
    logFile: join(folder, `redlight-${crypto.randomUUID()}.log`),
  }
}

export function floor(databaseUrl: string, folder: string): Launch {
  return {
    label: 'floor',
    command: [process.execPath, join(import.meta.dir, 'floor.ts')],
    env: { DATABASE_URL: databaseUrl },
    logFile: join(folder, `floor-${crypto.randomUUID()}.log`),
  }
}

export function freePort(): number {
  const listener = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } })
  const { port } = listener
  listener.stop(true)
  return port
}

// sysconf(_SC_CLK_TCK), which is 100 on every Linux that Bun runs on.
const TICKS_PER_SECOND = 100

/** CPU time of a process so far, in all its threads. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The name in brackets may contain spaces; the times are fields 14 and 15 of the line.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}

/** Resident memory of a process, current or peak. */
export function memoryMb(pid: number, which: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(new RegExp(`^${which}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1024
}

/** Resets a process's peak memory. */
export const resetPeakMemory = (pid: number) => writeFile(`/proc/${pid}/clear_refs`, '5').catch(() => {})
