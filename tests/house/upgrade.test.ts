import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { canStartCaddy, startCaddy } from '../support/caddy'
import { createTestDatabase, type TestDatabase, testDatabaseUrl } from '../support/database'
import { executable as redlightExecutable } from '../support/executable'
import { areFaultsWanted } from '../support/faults'
import { startLoad } from '../support/load'
import { freePort } from '../support/postgres'
import { quietSettings, signUp } from '../support/program'
import { aMovie } from '../support/server'
import { until } from '../support/until'

// deploy/upgrade.sh with processes instead of units: no request fails while it restarts two instances behind Caddy.
// UPGRADE_REQUESTS=100000 makes it a long run, with wrk next to these clients.
setDefaultTimeout(1_200_000)

const requests = Number(process.env.UPGRADE_REQUESTS ?? 0)

/** Restarts the process of a port, as systemctl would. */
const RESTART = `#!/usr/bin/env bash
pid=$(cat "$FOLDER/$1.pid" 2>/dev/null) && kill -TERM "$pid" 2>/dev/null
while [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
PORT=$1 nohup setsid "$FOLDER/redlight" serve >>"$FOLDER/$1.log" 2>&1 </dev/null &
echo $! >"$FOLDER/$1.pid"
`

describe.skipIf(testDatabaseUrl === undefined || !canStartCaddy || !areFaultsWanted)(
  'deploy/upgrade.sh',
  () => {
    let folder: string
    let database: TestDatabase
    let caddy: Awaited<ReturnType<typeof startCaddy>>
    let environment: Record<string, string>
    const ports: number[] = []

    /** An executable with a different healthcheck. */
    async function executable(name: string, body = 'serve') {
      const path = join(folder, name)
      const command = body === 'serve' ? `exec ${redlightExecutable} "$@"` : body
      await Bun.write(path, `#!/bin/sh\nexport ENVIRONMENT=${name}\n${command}\n`)
      await chmod(path, 0o755)
      return path
    }
    async function run(...command: string[]) {
      const child = Bun.spawn(command, { env: environment, stdout: 'pipe', stderr: 'pipe', stdin: 'ignore' })
      const [out, error] = await Promise.all([
        new Response(child.stdout).text(),
        new Response(child.stderr).text(),
      ])
      return { code: await child.exited, out, error }
    }
    const upgrade = (...args: string[]) => run('deploy/upgrade.sh', ...args)
    async function running() {
      const answers = ports.map(async (port) => {
        const response = await fetch(`http://127.0.0.1:${port}/v1/healthcheck`)
        const { system_info } = JSON.parse(await response.text())
        return system_info.environment
      })
      return Promise.all(answers)
    }

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'redlight-upgrade-'))
      database = await createTestDatabase()
      if (database.config.kind !== 'postgres') throw new Error('this needs a server')
      ports.push(await freePort(), await freePort())
      await Bun.write(join(folder, 'restart'), RESTART)
      await chmod(join(folder, 'restart'), 0o755)
      environment = {
        ...quietSettings,
        PATH: process.env.PATH ?? '',
        HOME: folder,
        FOLDER: folder,
        DATABASE_URL: database.config.url,
        SHUTDOWN_DELAY: '3s',
        REDLIGHT_EXECUTABLE: await executable('redlight'),
        REDLIGHT_PORTS: ports.join(),
        REDLIGHT_RESTART: join(folder, 'restart'),
        REDLIGHT_TIMEOUT_SECONDS: '15',
        REDLIGHT_SETTLE_SECONDS: '2',
      }
      for (const port of ports) await run(join(folder, 'restart'), String(port))
      caddy = await startCaddy(ports.map((port) => `127.0.0.1:${port}`))
      await until(async () => (await running().catch(() => [])).length === 2)
    })
    afterAll(async () => {
      await caddy?.stop()
      for (const port of ports) {
        const pid = Number(await readFile(join(folder, `${port}.pid`), 'utf8').catch(() => '0'))
        if (pid > 0) process.kill(pid, 'SIGKILL')
      }
      await database?.drop()
      await rm(folder, { recursive: true, force: true })
    })

    async function wrk(token: string, path: string) {
      const { out } = await run(
        ...['wrk', '-t1', '-c8', '-d30s', '-H', `Authorization: Bearer ${token}`],
        new URL(path, caddy.url).href,
      )
      const failed = [...out.matchAll(/Non-2xx[^:]*: (\d+)|(?:connect|read|write|timeout) (\d+)/g)]
      return {
        asked: Number(/(\d+) requests in/.exec(out)?.[1]),
        failed: failed.reduce((sum, [, status, socket]) => sum + Number(status ?? socket), 0),
      }
    }

    test('rolls both instances under load, and no request fails or is lost', async () => {
      const { token } = await signUp(caddy, environment)
      const created = await fetch(new URL('/v1/movies', caddy.url), {
        method: 'POST',
        headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
        body: JSON.stringify(aMovie('The first one')),
      })
      const path = created.headers.get('location') ?? ''
      expect(created.status).toBe(201)
      const load = startLoad(caddy.url, token)
      const wrks = { asked: 0, failed: 0 }
      const done = () => wrks.asked + Object.values(load.byStatus).reduce((sum, each) => sum + each, 0)
      let rounds = 0
      do {
        const name = `release${++rounds}`
        const paths = requests === 0 ? [] : [path, '/v1/movies?page_size=5&sort=-id']
        const [upgraded, ...results] = await Promise.all([
          upgrade(await executable(name)),
          ...paths.map((each) => wrk(token, each)),
        ])
        expect(upgraded).toMatchObject({ code: 0, error: '' })
        expect(await running()).toEqual([name, name])
        for (const { asked, failed } of results) {
          wrks.asked += asked
          wrks.failed += failed
        }
      } while (done() < requests)
      await load.stop()
      const seconds = load.slowestMs() / 1000
      console.log(
        `${rounds} upgrades under ${done()} requests:`,
        JSON.stringify({ ...load.byStatus, wrk: wrks, slowest: `${seconds.toFixed(2)} s` }),
      )
      expect(load.wrong).toEqual([])
      expect(Object.keys(load.byStatus).sort()).toEqual(['200', '201'])
      expect(wrks.failed).toBe(0)
      const sql = database.connect()
      const kept = await sql<{ id: string; title: string }[]>`select id, title from movies`
      await sql.end()
      const titles = new Map(kept.map(({ id, title }) => [Number(id), title]))
      expect([...load.acknowledged].filter(([id, title]) => titles.get(id) !== title)).toEqual([])
      expect(load.acknowledged.size).toBeGreaterThan(20)
    })

    test('restores the old one if the new one does not serve', async () => {
      const before = await running()
      const broken = await executable('broken', '[ "$1" = version ] && echo 9.9.9 && exit\nexit 1')
      const { code, error } = await upgrade(broken)
      expect([code, error]).toEqual([
        1,
        expect.stringContaining('the previous executable was restored and serves'),
      ])
      expect(await running()).toEqual(before)
    })

    const refused: [string, () => Promise<string[]>, number, string][] = [
      [
        'not an executable',
        async () => ['/nowhere/redlight'],
        1,
        "/nowhere/redlight isn't an executable of Redlight",
      ],
      ['nothing', async () => [], 2, 'Usage: upgrade.sh'],
      ['an unknown word', async () => ['--now'], 2, 'Usage: upgrade.sh'],
    ]
    test.each(refused)('given %s reports it and changes nothing', async (_, args, code, message) => {
      const before = await running()
      const result = await upgrade(...(await args()))
      expect([result.code, result.error]).toEqual([code, expect.stringContaining(message)])
      expect(await running()).toEqual(before)
    })
  },
)
