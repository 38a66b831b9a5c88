import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './postgres'
import { until } from './until'

// The proxy of deploy/Caddyfile, on a free port and without TLS.

export const canStartCaddy = Bun.which('caddy') !== null
if (!canStartCaddy) console.warn('left out: tests through the proxy: no caddy')

export async function startCaddy(upstreams: string[], edit = (text: string) => text) {
  const folder = await mkdtemp(join(tmpdir(), 'redlight-caddy-'))
  const file = join(folder, 'Caddyfile')
  await Bun.write(file, edit(await Bun.file('deploy/Caddyfile').text()))
  const url = new URL(`http://127.0.0.1:${await freePort()}`)
  const child = Bun.spawn(['caddy', 'run', '--config', file, '--adapter', 'caddyfile'], {
    env: {
      PATH: process.env.PATH ?? '',
      HOME: folder,
      XDG_DATA_HOME: folder,
      XDG_CONFIG_HOME: folder,
      CADDY_ADMIN: `127.0.0.1:${await freePort()}`,
      REDLIGHT_SITE: url.origin,
      REDLIGHT_UPSTREAMS: upstreams.join(' '),
    },
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: Bun.file(join(folder, 'log')),
  })
  await until(async () => {
    if (child.exitCode !== null) throw new Error(`caddy ended: ${await Bun.file(join(folder, 'log')).text()}`)
    return (await fetch(new URL('/v1/healthcheck', url)).catch(() => undefined))?.ok
  })
  return {
    url,
    async stop() {
      child.kill()
      await child.exited
      await rm(folder, { recursive: true, force: true })
    },
  }
}
