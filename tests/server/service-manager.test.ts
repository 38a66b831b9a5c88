import { afterAll, afterEach, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { join } from 'node:path'
import { newFilledFolder, newFolder, removeFolders } from '../support/embedded'
import { areFaultsWanted } from '../support/faults'
import { canReceive, receiveAt } from '../support/notify-socket'
import { launchProgram, type Program, quietSettings, startProgram } from '../support/program'
import { head, openRaw } from '../support/raw'
import { staysSo, until } from '../support/until'

// The service's reports to systemd.
setDefaultTimeout(240_000)

let program: Program | undefined
let receiver: Awaited<ReturnType<typeof receiveAt>> | undefined
afterEach(async () => {
  program?.kill('SIGKILL')
  await program?.exited
  await receiver?.close()
  program = receiver = undefined
})
afterAll(removeFolders)

const isFrozen = async (pid = 0) => (await Bun.$`ps -o stat= -p ${pid}`.text()).startsWith('T')

const environment = async (more: Record<string, string>) => ({
  ...quietSettings,
  DATA_DIR: await newFilledFolder(),
  ...more,
})

const addresses: [string, () => Promise<string>][] = [
  ['a path', async () => join(await newFolder(), 'notify')],
  ['an abstract name', async () => `@redlight-${crypto.randomUUID()}`],
]

describe.skipIf(!(canReceive && areFaultsWanted))('systemd', () => {
  test.each(addresses)('gets a report at %s when it starts, serves and stops', async (_, newAddress) => {
    const address = await newAddress()
    receiver = await receiveAt(address)
    program = await startProgram(await environment({ NOTIFY_SOCKET: address }))
    await receiver.until(/READY=1/)
    expect(await program.stop()).toMatchObject({ exitCode: 0 })
    await receiver.until(/STOPPING=1/)
    expect(receiver.messages).toEqual([
      'STATUS=starting: preparing the database',
      `READY=1 STATUS=listening on ${program.url.origin}`,
      'STOPPING=1 STATUS=finishing the requests in progress',
    ])
  })

  test('gets watchdog pings while the service answers itself, and none once it is frozen', async () => {
    const address = `@redlight-${crypto.randomUUID()}`
    receiver = await receiveAt(address)
    program = await startProgram(await environment({ NOTIFY_SOCKET: address, WATCHDOG_USEC: '2000000' }))
    await receiver.until(/^WATCHDOG=1$/, 2)
    program.kill('SIGSTOP')
    await until(() => isFrozen(program?.pid))
    // Earlier messages are read by then.
    await receiver.mark()
    const { messages } = receiver
    const before = messages.length
    await staysSo(() => messages.length === before, 1500)
    program.kill('SIGCONT')
    await receiver.until(/^WATCHDOG=1$/, 3)
    expect(await program.stop()).toMatchObject({ exitCode: 0 })
  })

  test('gets watchdog pings until the last request is done', async () => {
    const address = `@redlight-${crypto.randomUUID()}`
    receiver = await receiveAt(address)
    program = await startProgram(
      await environment({ NOTIFY_SOCKET: address, WATCHDOG_USEC: '500000', SHUTDOWN_TIMEOUT: '1h' }),
    )
    const { url } = program
    const client = await openRaw(url)
    await client.send(
      `${head('POST /v1/users', 'Content-Type: application/json', 'Content-Length: 2', 'Connection: close')}{`,
    )
    // This request, and the one that waits for its body.
    await until(async () =>
      (await (await fetch(new URL('/debug/vars', url))).text()).includes('"in_flight_requests":2'),
    )
    const stopped = program.stop()
    await receiver.until(/STOPPING=1/)
    const { messages } = receiver
    const before = messages.length
    await until(() => messages.slice(before).filter((message) => message === 'WATCHDOG=1').length > 2)
    await client.send('}')
    expect(await stopped).toMatchObject({ exitCode: 0 })
  })

  test('gets no watchdog pings meant for another process', async () => {
    const address = `@redlight-${crypto.randomUUID()}`
    receiver = await receiveAt(address)
    const watchdog = { WATCHDOG_USEC: '100000', WATCHDOG_PID: '1' }
    program = await startProgram(await environment({ NOTIFY_SOCKET: address, ...watchdog }))
    await receiver.until(/READY=1/)
    const { messages } = receiver
    await staysSo(() => !messages.includes('WATCHDOG=1'), 500)
  })
})

const absent = [
  ['a path', '/nowhere/notify'],
  ['another kind', 'vsock:2:1234'],
  ['a long path', `/${'x'.repeat(200)}`],
]
test.skipIf(!areFaultsWanted).each(absent)(
  'a missing service manager, %s, is a warning, and the service starts',
  async (_, address = '') => {
    program = await startProgram(await environment({ NOTIFY_SOCKET: address }))
    expect((await fetch(new URL('/v1/healthcheck', program.url))).status).toBe(200)
    expect(program.lines.some((line) => line.includes('could not notify the service manager'))).toBe(true)
  },
)

describe.skipIf(!areFaultsWanted)('while the service stops', () => {
  test('the healthcheck says so and every response closes its connection, until the port closes', async () => {
    program = await startProgram(await environment({ SHUTDOWN_DELAY: '2s' }))
    const ask = async (path: string) => {
      const { status, headers } = await fetch(new URL(path, program?.url), { method: 'GET' })
      return { path, status, connection: headers.get('connection') }
    }
    const kept = { connection: expect.not.stringContaining('close') }
    for (const path of ['/v1/healthcheck', '/v1/movies', '/nowhere']) {
      const { connection } = await ask(path)
      expect({ connection: connection ?? 'keep-alive' }).toEqual(kept)
    }
    const { url } = program
    const stopped = program.stop()
    await program.logged('"stopping"')
    expect(await Promise.all(['/v1/healthcheck', '/v1/movies', '/nowhere', '/docs'].map(ask))).toEqual([
      { path: '/v1/healthcheck', status: 503, connection: 'close' },
      { path: '/v1/movies', status: 401, connection: 'close' },
      { path: '/nowhere', status: 404, connection: 'close' },
      { path: '/docs', status: 200, connection: 'close' },
    ])
    expect(await stopped).toMatchObject({ exitCode: 0 })
    expect(await fetch(new URL('/v1/healthcheck', url)).catch((error: Error) => error)).toBeInstanceOf(Error)
  })
})

test.skipIf(!areFaultsWanted)(
  'SIGHUP changes nothing, and each line of the log stays one JSON object',
  async () => {
    const launched = launchProgram(await environment({ DATABASE_WAIT: '5s' }))
    program = { ...launched, url: await launched.listening }
    const ignored = () => launched.lines.filter((line) => line.includes('"SIGHUP is ignored"')).length
    for (let i = 0; i < 5; i++) {
      program.kill('SIGHUP')
      await until(() => ignored() === i + 1)
      expect((await fetch(new URL('/v1/movies', program.url))).status).toBe(401)
    }
    expect(await program.stop()).toMatchObject({ exitCode: 0 })
    const entries = program.lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line))
    expect(entries.filter(({ message }) => message === 'SIGHUP is ignored')).toHaveLength(5)
    expect(entries.filter(({ message }) => message === 'request')).toHaveLength(5)
  },
)
