import { afterAll, beforeAll, describe, expect, spyOn, test } from 'bun:test'
import { createPasswords } from '../../src/access/passwords'
import { newFilledFolder, removeFolders } from '../support/embedded'
import { areFaultsWanted, withFaults } from '../support/faults'
import { type Load, startLoad } from '../support/load'
import { type Program, quietSettings, signUp, startProgram } from '../support/program'
import { drip, head, openRaw, type RawClient, sendRaw } from '../support/raw'
import { PASSWORD } from '../support/server'
import { until } from '../support/until'

const TIMEOUT_MS = 240_000
const MIB = 1_048_576
const { maxHashesAtOnce, maxWaiting } = createPasswords().limits

let program: Program
let token: string
let email: string

beforeAll(async () => {
  // As in the units and the image; otherwise, the collector expects all of this machine's memory for itself.
  const environment = {
    ...quietSettings,
    DATA_DIR: await newFilledFolder(),
    BUN_JSC_forceRAMSize: '1073741824',
  }
  program = await startProgram(environment)
  ;({ token, email } = await signUp(program, environment))
}, TIMEOUT_MS)
afterAll(async () => {
  await program?.stop()
  await removeFolders()
})

const signedIn = () => [`Authorization: Bearer ${token}`, 'Content-Type: application/json']

async function residentMib(): Promise<number> {
  const response = await fetch(new URL('/debug/vars', program.url))
  const { memstats }: { memstats: { rss: number } } = JSON.parse(await response.text())
  return memstats.rss / MIB
}

/** During the work, other clients get correct responses and memory grows by no more than this. */
async function whileOthersAreServed(name: string, maxGrowthMib: number, work: (load: Load) => Promise<void>) {
  const before = await residentMib()
  let most = before
  const load = startLoad(program.url, token)
  const timer = setInterval(async () => {
    most = Math.max(most, await residentMib())
  }, 500)
  try {
    await work(load)
  } finally {
    clearInterval(timer)
    await load.stop()
  }
  most = Math.max(most, await residentMib())
  console.log(
    `${name}: ${before.toFixed(0)} MiB, at most ${most.toFixed(0)}; others were answered within ${load.slowestMs().toFixed(0)} ms`,
  )
  expect(load.wrong).toEqual([])
  expect(load.refusals()).toBe(0)
  expect(load.acknowledged.size).toBeGreaterThan(0)
  expect(most - before).toBeLessThan(maxGrowthMib)
  expect(program.isRunning()).toBe(true)
}

describe('sign-ins', () => {
  const signIn = (credentials: { email: string; password: string }) =>
    fetch(new URL('/v1/tokens/authentication', program.url), {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(credentials),
    })
  const wrong = (i: number) => ({
    email: i % 2 === 0 ? email : `nobody${i}@example.com`,
    password: `wrong password ${i}`,
  })

  test.skipIf(!areFaultsWanted)(
    '32 clients with wrong passwords do not keep others from reading',
    () =>
      whileOthersAreServed('wrong passwords', 200, async () => {
        const statuses = new Set<number>()
        const clients = Array.from({ length: 32 }, async (_, i) => {
          for (let times = 0; times < 4; times++) {
            const response = await signIn(wrong(i))
            await response.text()
            statuses.add(response.status)
          }
        })
        await Promise.all(clients)
        // On a busy machine, some wait too long for their turn.
        statuses.delete(503)
        expect([...statuses]).toEqual([401])
      }),
    TIMEOUT_MS,
  )

  test(
    'beyond the queue are refused with 503 and Retry-After',
    async () => {
      const count = maxHashesAtOnce + maxWaiting + 60
      const answers = await Promise.all(
        Array.from({ length: count }, async (_, i) => {
          const response = await signIn(wrong(i))
          return { status: response.status, headers: response.headers, text: await response.text() }
        }),
      )
      const refused = answers.filter(({ status }) => status === 503)
      console.log(`of ${count} sign-ins at once ${refused.length} were refused`)
      expect(refused.length).toBeGreaterThan(0)
      // Those in the queue get a response, unless a busy machine made them wait too long.
      expect(refused.length).toBeLessThan(count - maxHashesAtOnce)
      expect(answers.filter(({ status }) => status === 401)).toHaveLength(count - refused.length)
      for (const { headers, text } of refused) {
        expect(headers.get('retry-after')).toMatch(/^\d+$/)
        expect(JSON.parse(text)).toEqual({ error: 'too many sign-ins are waiting, please try again' })
      }
      expect((await signIn({ email, password: PASSWORD })).status).toBe(201)
    },
    TIMEOUT_MS,
  )

  test('use at most all cores but one, and a bounded queue', async () => {
    const passwords = createPasswords()
    let running = 0
    let most = 0
    const verify = spyOn(Bun.password, 'verify').mockImplementation(async () => {
      most = Math.max(most, ++running)
      await new Promise<void>((resolve) => setImmediate(resolve))
      running--
      return false
    })
    const count = maxHashesAtOnce + maxWaiting + 10
    const all = Promise.allSettled(
      Array.from({ length: count }, () => passwords.verify('a password', undefined)),
    )
    expect(passwords.load()).toEqual({ busy: maxHashesAtOnce, waiting: maxWaiting })
    const outcomes = await all
    verify.mockRestore()
    expect(most).toBe(maxHashesAtOnce)
    expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(10)
    expect(passwords.load()).toEqual({ busy: 0, waiting: 0 })
  })

  test('of an unknown user cost as much as those of a known one', async () => {
    const passwords = createPasswords()
    const known = await passwords.hash('a password')
    const verify = spyOn(Bun.password, 'verify')
    expect(await passwords.verify('a password', known)).toBe(true)
    expect(await passwords.verify('a password', undefined)).toBe(false)
    const costs = verify.mock.calls.map(([, hash]) => String(hash).split('$').slice(1, 4))
    verify.mockRestore()
    expect(costs).toEqual([
      ['argon2id', 'v=19', 'm=19456,t=2,p=1'],
      ['argon2id', 'v=19', 'm=19456,t=2,p=1'],
    ])
  })
})

describe.skipIf(!areFaultsWanted)('connections', () => {
  const SLOW_CONNECTIONS = 5000

  async function openMany(count: number): Promise<RawClient[]> {
    const clients: RawClient[] = []
    while (clients.length < count)
      clients.push(...(await Promise.all(Array.from({ length: 250 }, () => openRaw(program.url)))))
    return clients
  }

  test.skipIf(!withFaults)(
    '5,000 that send a byte from time to time',
    () =>
      whileOthersAreServed('5,000 slow connections', 200, async (load) => {
        const clients = await openMany(SLOW_CONNECTIONS)
        expect(clients.filter((client) => client.isOpen()).length).toBe(SLOW_CONNECTIONS)
        for (const client of clients)
          client.send('GET /v1/healthcheck HTTP/1.1\r\nHost: localhost\r\nX-Slow: ')
        for (let i = 0; i < 4; i++) {
          const before = load.acknowledged.size
          await until(() => load.acknowledged.size > before + 10)
          for (const client of clients) client.send('a')
        }
        for (const client of clients) client.close()
      }),
    TIMEOUT_MS,
  )

  test.skipIf(!withFaults)(
    'with a dripping body are closed in the end',
    () =>
      whileOthersAreServed('dripping bodies', 200, async () => {
        const drips = [
          { framing: 'Content-Length: 1000', piece: 'a' },
          { framing: 'Transfer-Encoding: chunked', piece: '1\r\na\r\n' },
        ].map(async ({ framing, piece }) => {
          const client = await openRaw(program.url)
          const id = crypto.randomUUID()
          const headers = ['Content-Type: application/json', `X-Request-Id: ${id}`, framing]
          await client.send(head('POST /v1/tokens/authentication', ...headers))
          await drip(client, piece)
          await until(() => program.lines.some((line) => line.includes(id) && line.includes('"status":400')))
          // On a busy machine, the reset in return for another piece may overtake the response.
          if (client.received() !== '')
            expect(client.received()).toContain('{"error":"body could not be read to its end"}')
        })
        await Promise.all(drips)
      }),
    TIMEOUT_MS,
  )

  test(
    'that announce a gigabyte, or never end',
    () =>
      whileOthersAreServed('endless bodies', 200, async () => {
        const piece = Buffer.alloc(MIB, 'a')
        const chunk = Buffer.concat([Buffer.from('100000\r\n'), piece, Buffer.from('\r\n')])
        const announced = 'Content-Length: 1073741824'
        const chunked = 'Transfer-Encoding: chunked'
        const json = 'Content-Type: application/json'
        const floods = [
          { line: 'POST /v1/movies', headers: [...signedIn(), announced], with: piece, status: 413 },
          { line: 'POST /v1/movies', headers: [...signedIn(), chunked], with: chunk, status: 413 },
          { line: 'POST /v1/users', headers: [json, announced], with: piece, status: 413 },
          { line: 'POST /v1/users', headers: [json, chunked], with: chunk, status: 413 },
          { line: 'POST /v1/movies', headers: [announced], with: piece, status: 401 },
          { line: 'GET /v1/healthcheck', headers: [announced], with: piece, status: 200 },
          { line: 'GET /v1/healthcheck', headers: [chunked], with: chunk, status: 200 },
          { line: 'PUT /nowhere', headers: [chunked], with: chunk, status: 404 },
        ]
        for (const flood of floods) {
          const client = await openRaw(program.url)
          await client.send(head(flood.line, ...flood.headers))
          for (let i = 0; i < 64 && client.isOpen(); i++) await client.send(flood.with)
          const name = `${flood.line} ${flood.headers.at(-1)}`
          const answers = [`HTTP/1.1 ${flood.status}`]
          if (flood.status === 413) {
            // The server stops reading, so TCP may discard the response when more data arrives.
            await client.closed
            answers.push('')
          } else await client.answered
          expect(answers, name).toContain(client.received().slice(0, 12))
          client.close()
        }
      }),
    TIMEOUT_MS,
  )

  test(
    'with large, unfinished bodies',
    () =>
      whileOthersAreServed('unfinished bodies', 200, async () => {
        const piece = Buffer.alloc(MIB - 1, ' ')
        const json = 'Content-Type: application/json'
        const clients = await Promise.all(Array.from({ length: 600 }, () => openRaw(program.url)))
        for (const [i, client] of clients.entries()) {
          const length = i % 2 === 0 ? `Content-Length: ${MIB}` : 'Transfer-Encoding: chunked'
          await client.send(head('POST /v1/users', json, length))
          if (i % 2 === 0) await client.send(piece)
          else await client.send(Buffer.concat([Buffer.from('fffff\r\n'), piece, Buffer.from('\r\n')]))
          // What has come before is judged by then: a busy machine takes up what many have sent at once.
          if (i % 10 === 9) await residentMib()
        }
        const isRefused = (client: RawClient) => client.received().startsWith('HTTP/1.1 503')
        await until(() => clients.some(isRefused))
        const refused = clients.find(isRefused)
        expect(refused?.received()).toContain(
          '{"error":"too many large bodies arrive at once, please try again"}',
        )
        for (const client of clients) client.close()

        const large = {
          method: 'POST',
          headers: { 'Content-Type': 'application/json' },
          body: `{"name":"${'x'.repeat(MIB / 2)}"}`,
        }
        await until(async () => (await fetch(new URL('/v1/users', program.url), large)).status === 422)
      }),
    TIMEOUT_MS,
  )

  test(
    'with bodies nested as deeply as allowed, in a text field',
    () =>
      whileOthersAreServed('nested bodies', 200, async () => {
        const nested = '['.repeat(29) + ']'.repeat(29)
        const body = `{"email":[${Array(Math.floor(MIB / 60)).fill(nested)}]}`
        const headers = { 'Content-Type': 'application/json' }
        const send = async () =>
          (await fetch(new URL('/v1/users', program.url), { method: 'POST', headers, body })).status
        const statuses = await Promise.all(Array.from({ length: 40 }, send))
        // On a busy machine, some wait too long for their turn.
        expect([...new Set(statuses)].filter((status) => status !== 503)).toEqual([422])
      }),
    TIMEOUT_MS,
  )

  test(
    'with 250 headers, or one that is too long',
    async () => {
      const many = Array.from({ length: 250 }, (_, i) => `X-Header-${i}: value`)
      for (const headers of [many, [`X-Long: ${'a'.repeat(17_000)}`]]) {
        const { statuses } = await sendRaw(program.url, head('GET /v1/healthcheck', ...headers))
        expect(statuses).toEqual([431])
      }
      const some = [...many.slice(0, 90), 'Connection: close']
      expect((await sendRaw(program.url, head('GET /v1/healthcheck', ...some))).statuses).toEqual([200])
    },
    TIMEOUT_MS,
  )

  test(
    'with pipelined requests get responses in order, or are closed',
    async () => {
      const ids = Array.from({ length: 100 }, (_, i) => `request-${i}`)
      for (const path of ['/v1/movies', '/v1/healthcheck']) {
        const requests = ids.map((id) => head(`GET ${path}`, `X-Request-Id: ${id}`))
        requests.push(head(`GET ${path}`, 'Connection: close'))
        const { text } = await sendRaw(program.url, requests.join(''))
        const answered = [...text.matchAll(/^x-request-id: (.*)\r$/gim)].map(([, id]) => id)
        if (answered.length > ids.length) answered.pop()
        expect(answered).toEqual(ids.slice(0, answered.length))
        // Bun closes a connection that sends more while a response is awaited, as a healthcheck now and then
        // awaits the database; a refusal awaits nothing.
        if (path === '/v1/movies') expect(answered).toHaveLength(ids.length)
      }
      expect((await sendRaw(program.url, head('GET /v1/healthcheck', 'Connection: close'))).statuses).toEqual(
        [200],
      )
    },
    TIMEOUT_MS,
  )
})
