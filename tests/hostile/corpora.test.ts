import { expect, setDefaultTimeout, test } from 'bun:test'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { attackedService, NOT_AN_OBJECT } from '../support/bad-input'
import { aMovie } from '../support/server'

// A start of the embedded database takes a second, and many on a busy machine.
setDefaultTimeout(240_000)

const CORPORA = join(import.meta.dir, '../../../shared/corpora')
const { server, alice, send, unexpected } = attackedService()

const filesOf = (folder: string) => {
  const path = join(CORPORA, folder)
  return existsSync(path) ? readdirSync(path).map((name) => join(path, name)) : []
}
const parsing = filesOf('jsontestsuite/test_parsing')
const strings = join(CORPORA, 'blns/blns.json')
if (parsing.length === 0 || !existsSync(strings))
  console.warn(`skipped: no test corpora (JSONTestSuite, big list of naughty strings) in ${CORPORA}`)

test.skipIf(parsing.length === 0)('JSONTestSuite: invalid JSON is a 400, valid JSON is parsed', async () => {
  for (const file of [...parsing, ...filesOf('jsontestsuite/test_transform')]) {
    const name = file.split('/').at(-1) ?? ''
    const content = await Bun.file(file).bytes()
    const isObject = content[0] === 0x7b
    const answer = await send('POST', '/v1/tokens/activation', { body: content })
    if (name.startsWith('n_')) expect([name, answer.status]).toEqual([name, 400])
    else if (name.startsWith('y_')) {
      expect([name, answer.status]).toEqual([name, isObject ? 422 : 400])
      if (!isObject) expect([name, answer.error]).toEqual([name, NOT_AN_OBJECT])
    } else expect([name, answer.status < 500]).toEqual([name, true])
  }
})

test.skipIf(!existsSync(strings))(
  'naughty strings are stored unchanged or refused, and can be searched for',
  async () => {
    const naughty: string[] = await Bun.file(strings).json()
    let kept = 0
    for (const [index, text] of naughty.entries()) {
      const title = `${index} ${text}`.trim()
      const created = await server().request<{ movie: { id: number } }>('POST', '/v1/movies', {
        token: alice().token,
        body: aMovie(title, { director: text === '' ? undefined : text }),
      })
      expect([text, created.status === 201 || created.status === 422]).toEqual([text, true])
      if (created.status === 201) {
        kept++
        const found = await server().request('GET', `/v1/movies/${created.body.movie.id}`, {
          token: alice().token,
        })
        expect(found.body.movie).toMatchObject({ title, ...(text === '' ? {} : { director: text }) })
      }
      await Promise.all(
        ['title', 'director', 'cast', 'genres'].map(async (parameter) => {
          const query = new URLSearchParams({ [parameter]: text })
          const { status } = await server().request('GET', `/v1/movies?${query}`, { token: alice().token })
          expect([text, parameter, status === 200 || status === 422]).toEqual([text, parameter, true])
        }),
      )
    }
    expect(kept).toBeGreaterThan(naughty.length / 2)
  },
  // Thousands of requests, and none waits for the others.
  300_000,
)

test('after all this, the log has no unexpected error', () => {
  expect(unexpected()).toEqual([])
})
