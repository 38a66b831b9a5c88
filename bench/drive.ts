import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from './processes'
import type { Server } from './servers'
import { wrkScript } from './wrk-script'

/** A request of a scenario; `user` is whose token it carries. */
export type Call = {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  path: string
  user?: number
  body?: unknown
}
export type Load = { calls: readonly Call[]; connections: number; seconds: number }
/** What a client saw. `answered` counts the answers below 400, `failed` all else. */
export type Outcome = { answered: number; failed: number; seconds: number; p50Ms: number; p99Ms: number }
export type Drive = (server: Pick<Server, 'port' | 'tokens'>, load: Load) => Promise<Outcome>
export type Client = 'wrk' | 'bun'

/** Stands in a body for a number that no other request has; as long as that number, so that lengths hold. */
export const NEW_NUMBER = '#########'
/** A call written out, ready to be sent by either client. */
export type RawRequest = { method: string; path: string; headers: Record<string, string>; body: string }

/** One client thread leaves most of the machine to the servers. */
export function createDrive(folder: string, client: Client): Drive {
  let drives = 0
  return async ({ port, tokens }, { calls, connections, seconds }) => {
    const requests = calls.map((call) => rawRequest(call, tokens))
    // Numbers of one drive differ from those of all others.
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

function rawRequest({ method, path, user, body }: Call, tokens: readonly string[]): RawRequest {
  return {
    method,
    path,
    headers: {
      ...(user === undefined ? {} : { Authorization: `Bearer ${tokens[user]}` }),
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
    },
    body: body === undefined ? '' : JSON.stringify(body),
  }
}

/** Both clients end with a line of JSON. */
function parseOutcome(output: string): Outcome {
  const line = output.trim().split('\n').at(-1) ?? ''
  try {
    return JSON.parse(line)
  } catch {
    throw new Error(`the client printed no outcome: ${output}`)
  }
}

/** One call, made as a client would, and its answer's JSON. */
export async function ask({ port, tokens }: Pick<Server, 'port' | 'tokens'>, call: Call): Promise<unknown> {
  const { method, path, headers, body } = rawRequest(call, tokens)
  const url = `http://127.0.0.1:${port}${path}`
  const response = await fetch(url, { method, headers, body: body === '' ? undefined : body })
  if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${await response.text()}`)
  return response.json()
}
