import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RedisClient } from 'bun'
import { freePort } from './postgres'
import { until } from './until'

// A private Redis or Valkey, which tests may kill and freeze.

const program = Bun.which('redis-server') ?? Bun.which('valkey-server')
export const canStartRedis = program !== null
if (!canStartRedis) console.warn('left out: tests with Redis: no program redis-server or valkey-server')

export const REDIS_PASSWORD = 'a secret of redis'

export async function startRedis() {
  const folder = await mkdtemp(join(tmpdir(), 'redlight-redis-'))
  const port = await freePort()
  const url = `redis://:${encodeURIComponent(REDIS_PASSWORD)}@127.0.0.1:${port}`
  const settings = [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--dir',
    folder,
    '--save',
    '',
    '--appendonly',
    'no',
  ]
  const spawn = () =>
    Bun.spawn([program ?? '', ...settings, '--requirepass', REDIS_PASSWORD], {
      stdin: 'ignore',
      stdout: 'ignore',
      stderr: 'ignore',
    })
  let child = spawn()

  async function send(command: string, ...values: string[]): Promise<unknown> {
    const client = new RedisClient(url, { autoReconnect: false, connectionTimeout: 1000 })
    try {
      await client.connect()
      return await client.send(command, values)
    } finally {
      client.close()
    }
  }
  const untilItAnswers = () => until(async () => (await send('PING').catch(() => '')) === 'PONG')
  await untilItAnswers()

  return {
    url,
    send,
    async kill() {
      child.kill('SIGKILL')
      await child.exited
    },
    async start() {
      child = spawn()
      await untilItAnswers()
    },
    freeze: () => child.kill('SIGSTOP'),
    thaw: () => child.kill('SIGCONT'),
    async dispose() {
      child.kill('SIGKILL')
      await child.exited
      await rm(folder, { recursive: true, force: true })
    },
  }
}
