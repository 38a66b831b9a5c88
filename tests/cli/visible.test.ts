import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeHeader } from '../../src/backup/manifest'
import { readManifest } from '../../src/backup/read'
import { createLog, jsonLine, readableLine } from '../../src/log'
import { createColours } from '../../src/terminal/colours'
import { visible } from '../../src/visible'
import { databaseVariables, redlight } from '../support/command-line'
import { aMovie, startTestServer, type TestServer } from '../support/server'

// Text that controls a terminal or forges a row: anything but printable text, tabs between cells and ends of lines.
const UNSAFE = /[^\P{C}\n\t]|[\u2028\u2029]|[\u202a-\u202e\u2066-\u2069]/u

const NASTY = 'Eve\x1b[31m\n9\troot@example.com\t-\tactive\t\x9b2J\x7f\u202egnp\u2066\u2028\r'
const ESCAPED =
  'Eve\\x1b[31m\\n9\\troot@example.com\\t-\\tactive\\t\\x9b2J\\x7f\\u{202e}gnp\\u{2066}\\u{2028}\\r'

describe('a text from outside', () => {
  test('is escaped where it is more than text', () => {
    expect(visible(NASTY)).toBe(ESCAPED)
    expect(visible('\0\x08\x80\x9f\u2029\u202a\u2069\ud800x\udc00')).toBe(
      '\\x00\\x08\\x80\\x9f\\u{2029}\\u{202a}\\u{2069}\\u{d800}x\\u{dc00}',
    )
    const plain = 'Zoë’s “電影” 🎬 👩‍👩‍👧 שלום C:\\dir ~\xa0'
    expect(visible(plain)).toBe(plain)
  })

  const lineOf = (format: typeof jsonLine) => {
    const lines: string[] = []
    createLog('info', (line) => lines.push(line()), format).warn(NASTY, {
      name: NASTY.replace('\n', ''),
      list: [NASTY],
      stack: `at ${NASTY}\nat b`,
    })
    return lines.join('')
  }

  test('is one line in a log for machines, and can be read back', () => {
    const line = lineOf(jsonLine)
    expect(line.trimEnd()).not.toMatch(/[\t\n]/)
    expect(line).not.toMatch(UNSAFE)
    expect(JSON.parse(line)).toMatchObject({ message: NASTY, list: [NASTY] })
  })

  test('can’t look like another line of a log for people', () => {
    const text = lineOf(readableLine(createColours(false)))
    expect(text).not.toMatch(UNSAFE)
    const [first, ...more] = text.trimEnd().split('\n')
    expect(first).toContain(ESCAPED)
    expect(more.length).toBeGreaterThan(1)
    for (const line of more) expect(line).toStartWith('    ')
  })
})

describe('the command line', () => {
  let server: TestServer
  let folder: string
  const run = (...args: string[]) => redlight(args, databaseVariables(server.database.config))
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'redlight-visible-'))
    server = await startTestServer()
    const { token } = await server.newUser({ name: NASTY })
    const title = NASTY.trim()
    const created = await server.request('POST', '/v1/movies', { token, body: aMovie(title) })
    expect(created.status).toBe(201)
  })
  afterAll(async () => {
    await server.stop()
    await rm(folder, { recursive: true })
  })

  test('lists each user and each movie in a row that nobody can forge', async () => {
    const users = await run('users', 'list')
    expect(users.out).not.toMatch(UNSAFE)
    const [heading = '', , row = '', total, ...none] = users.out.trimEnd().split('\n')
    expect([row.slice(heading.lastIndexOf('NAME')), total, none]).toEqual([ESCAPED, '2 users', []])
    const movies = await run('movies', 'list')
    expect(movies.out).not.toMatch(UNSAFE)
    const [headings = '', movie = '', ...more] = movies.out.trimEnd().split('\n')
    expect(movie.slice(headings.indexOf('ADDED BY'))).toBe(`${ESCAPED}  ${visible(NASTY.trim())}`)
    expect(more).toEqual(['1 movie'])
  })

  test('quotes arguments and database messages in one line', async () => {
    for (const args of [
      ['users', 'remove', NASTY],
      ['users', NASTY],
      [NASTY],
      ['backup', join(folder, 'nowhere', NASTY)],
      ['movies', 'assign', '1', NASTY],
    ]) {
      const { code, out, error } = await run(...args)
      expect([code > 0, out, error.trimEnd().split('\n').length]).toEqual([true, '', 1])
      expect(error).not.toMatch(UNSAFE)
    }
  })

  test('describes a backup of unknown origin safely', async () => {
    const path = join(folder, 'odd.backup')
    expect((await run('backup', path)).code).toBe(0)
    const manifest = await readManifest(path)
    const bytes = Buffer.from(await Bun.file(path).bytes())
    encodeHeader({ ...manifest, redlight: NASTY }).copy(bytes)
    await Bun.write(path, bytes)
    const { code, out } = await run('backup', '--check', path)
    expect([code, out.includes(ESCAPED), out.trimEnd().split('\n').length]).toEqual([0, true, 1])
    expect(out).not.toMatch(UNSAFE)
  })

  test('applies this to the doctor, in JSON and in words', async () => {
    const env = { PORT: '80\u202e\u2066' }
    const words = await redlight(['doctor'], env)
    expect(words.out).toContain('80\\u{202e}\\u{2066}')
    expect(words.out + words.error).not.toMatch(UNSAFE)
    const json = await redlight(['doctor', '--json'], env)
    expect(json.out + json.error).not.toMatch(UNSAFE)
    expect(JSON.parse(json.out)).toMatchObject({
      findings: expect.arrayContaining([
        expect.objectContaining({ what: expect.stringContaining('80\u202e\u2066') }),
      ]),
    })
  })
})
