import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './postgres'

// deploy/haproxy.cfg in front of private servers. A small HTTP server says whether one is the primary; it stands
// in for Patroni's REST API.

const found = Bun.which('haproxy') ?? Bun.which('haproxy', { PATH: '/usr/sbin:/usr/local/sbin' })
export const haproxyProgram = found ?? ''
export const canStartHaproxy = found !== null
if (!canStartHaproxy) console.warn('left out: tests through HAProxy: no program haproxy')

export type Member = ReturnType<typeof startMember>

/** A server and its reported state: 200 or 503 to OPTIONS /primary. */
export function startMember(port: number, isPrimary: boolean) {
  let says = isPrimary
  const api = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch: ({ method, url }) =>
      new Response(null, {
        status:
          says && method === 'OPTIONS' && new URL(url, 'http://patroni').pathname === '/primary' ? 200 : 503,
      }),
  })
  return {
    line: (name: string) => `server ${name} 127.0.0.1:${port} check port ${api.port}`,
    become(primary: boolean) {
      says = primary
    },
    stop: () => api.stop(true),
  }
}

export async function startHaproxy(members: Member[]) {
  const folder = await mkdtemp(join(tmpdir(), 'redlight-haproxy-'))
  const port = await freePort()
  const settings = join(folder, 'haproxy.cfg')
  const published = await readFile('deploy/haproxy.cfg', 'utf8')
  const lines = published
    .replace('bind 127.0.0.1:5000', `bind 127.0.0.1:${port}`)
    .split('\n')
    .filter((line) => !/^\tserver /.test(line))
  const servers = members.map((member, index) => `\t${member.line(`pg${index + 1}`)}`)
  await Bun.write(settings, `${[...lines, ...servers].join('\n')}\n`)
  const child = Bun.spawn([haproxyProgram, '-db', '-f', settings], {
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: Bun.file(join(folder, 'log')),
  })
  return {
    port,
    async dispose() {
      child.kill('SIGKILL')
      await child.exited
      await rm(folder, { recursive: true, force: true })
    },
  }
}
