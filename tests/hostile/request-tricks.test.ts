import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { newFilledFolder, removeFolders } from '../support/embedded'
import { type Program, quietSettings, signUp, startProgram } from '../support/program'
import { head, sendRaw } from '../support/raw'

const TIMEOUT_MS = 240_000

let program: Program
let token: string

beforeAll(async () => {
  const environment = { ...quietSettings, DATA_DIR: await newFilledFolder() }
  program = await startProgram(environment)
  token = (await signUp(program, environment)).token
}, TIMEOUT_MS)
afterAll(async () => {
  await program?.stop()
  await removeFolders()
})

const signedIn = () => [`Authorization: Bearer ${token}`, 'Content-Type: application/json']

describe('requests that could be read in two ways', () => {
  const body = '{"a":1}'
  const post = (...headers: string[]) => head('POST /v1/movies', ...signedIn(), ...headers)

  test(
    'by their length are refused, and nothing after them is executed',
    async () => {
      const smuggled = head('GET /v1/movies/1', ...signedIn())
      const chunks = `7\r\n${body}\r\n0\r\n\r\n`
      const shapes = [
        post('Content-Length: 7', 'Content-Length: 3') + body,
        post('Content-Length: 7, 7') + body,
        post('Content-Length: -1') + body,
        post('Content-Length: +7') + body,
        post('Content-Length: 99999999999999999999') + body,
        post('Content-Length: 7', 'Transfer-Encoding: chunked') + chunks,
        post('Transfer-Encoding: chunked', 'Content-Length: 3') + chunks,
        post('Transfer-Encoding: chunked', 'Transfer-Encoding: identity') + chunks,
        post('Transfer-Encoding: xchunked') + chunks,
        post('Transfer-Encoding: gzip, chunked') + chunks,
        post('Transfer-Encoding : chunked') + chunks,
        `${post('Transfer-Encoding: chunked')}Z\r\n${body}\r\n0\r\n\r\n`,
        `${post('Transfer-Encoding: chunked')}ffffffffffffffff\r\n${body}\r\n0\r\n\r\n`,
        head('GET /v1/movies', 'X-Folded: a', ' b'),
      ]
      for (const shape of shapes) {
        const { statuses } = await sendRaw(program.url, shape + smuggled)
        expect({ shape, statuses }).toEqual({ shape, statuses: [400] })
      }
    },
    TIMEOUT_MS,
  )

  const statusOf = async (line: string, host = 'localhost') => {
    const request = `${line} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`
    return (await sendRaw(program.url, request)).statuses
  }

  test(
    'by their path reach the normalized path, or nothing',
    async () => {
      const expected: [string, number][] = [
        ['GET /v1/../v1/healthcheck', 200],
        ['GET /v1/%2e%2e/v1/movies', 401],
        ['GET http://elsewhere.example/v1/movies', 401],
        ['GET /docs/../v1/movies', 401],
        ['GET //v1/healthcheck', 404],
        ['GET //elsewhere.example/v1/healthcheck', 404],
        ['GET /v1%2Fhealthcheck', 404],
        ['GET /v1/healthcheck/', 404],
        ['GET /v1/movies;x=1', 404],
        ['GET /V1/movies', 404],
        ['GET /docs/v1/movies', 404],
        ['GET /__proto__', 404],
        ['GET /constructor', 404],
        ['GET /../../../etc/passwd', 404],
        ['GET /docs/..%2f..%2fpackage.json', 404],
        ['CONNECT elsewhere.example:443', 405],
      ]
      for (const [line, status] of expected)
        expect({ line, statuses: await statusOf(line) }).toEqual({ line, statuses: [status] })
    },
    TIMEOUT_MS,
  )

  // Elysia looks for the path after the eleventh character of the URL, unless it knows that hosts may be short:
  // `handler: { standardHostname: false }` in app.ts fixes this.
  test(
    'by a short host, after which another path would be found',
    async () => {
      for (const host of ['x', 'api', 'a.b']) {
        expect({ host, statuses: await statusOf('GET /v1/healthcheck', host) }).toEqual({
          host,
          statuses: [200],
        })
        expect({ host, statuses: await statusOf('GET /docs/v1/movies', host) }).toEqual({
          host,
          statuses: [404],
        })
      }
    },
    TIMEOUT_MS,
  )
})
