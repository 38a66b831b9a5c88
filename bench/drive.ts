import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from './processes'
import type { Server } from './servers'
import { wrkScript } from './wrk-script'

/** A request of a scenario; it carries the token of `user`. */
export type Call = {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  path: string
  user?: number
  headers?: Record<string, string>
  body?: unknown
}
export type Load = { calls: readonly Call[]; connections: number; seconds: number }
/** A client's counts. `answered` are responses below 400, `failed` all others. */
export type Outcome = { answered: number; failed: number; seconds: number; p50Ms: number; p99Ms: number }
export type Drive = (server: Pick<Server, 'port' | 'tokens'>, load: Load) => Promise<Outcome>
export type Client = 'wrk' | 'bun'

/** Placeholder in a body for a unique number of the same length. */
export const NEW_NUMBER = '#########'
/** A call as text that either client can send. */
export type RawRequest = { method: string; path: string; headers: Record<string, string>; body: string }

/** One client thread, to leave most of the machine to the servers. */
export function createDrive(folder: string, client: Client): Drive {
  let drives = 0
  return async ({ port, tokens }, { calls, connections, seconds }) => {
    const requests = calls.map((call) => rawRequest(call, tokens))
    // Unique across drives.
    const firstNumber = 100_000_000 + ++drives * 1_000_000
    const script = join(folder, client === 'wrk' ? 'load.lua' : 'load.json')
    if (client === 'wrk') {
      await writeFile(script, wrkScript(requests, port, firstNumber))
      const limits = ['--threads', '1', '--connections', String(connections), '--timeout', '30s']
      const target = `http://127.0.0.1:${port}`
      return parseOutcome(
        await run(['wrk', ...limits, '--duration', `${seconds}s`, '--script', script, target], folder),
      )
    }
    await writeFile(script, JSON.stringify({ port, requests, firstNumber, connections, seconds }))
    return parseOutcome(await run([process.execPath, join(import.meta.dir, 'bun-client.ts'), script], folder))
  }
}

function rawRequest({ method, path, user, headers, body }: Call, tokens: readonly string[]): RawRequest {
  return {
    method,
    path,
    headers: {
      ...headers,
      ...(user === undefined ? {} : { Authorization: `Bearer ${tokens[user]}` }),
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
    },
    body: body === undefined ? '' : JSON.stringify(body),
  }
}

/** Both clients print a line of JSON at the end. */
function parseOutcome(output: string): Outcome {
  const line = output.trim().split('\n').at(-1) ?? ''
  try {
    return JSON.parse(line)
  } catch {
    throw new Error(`the client printed no outcome: ${output}`)
  }
}

/** Sends one call and returns the response's JSON. */
export async function ask({ port, tokens }: Pick<Server, 'port' | 'tokens'>, call: Call): Promise<unknown> {
  const { method, path, headers, body } = rawRequest(call, tokens)
  const url = `http://127.0.0.1:${port}${path}`
  const response = await fetch(url, { method, headers, body: body === '' ? undefined : body })
  if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${await response.text()}`)
  return response.json()
}
