import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { Client } from 'imdb-api'
import { databaseVariables, redlight } from '../support/command-line'
import { createFilledDatabase, type TestDatabase } from '../support/database'
import { type Program, quietSettings, startProgram } from '../support/program'
import { PASSWORD } from '../support/server'

// A start of the embedded database takes a second, and many on a busy machine.
setDefaultTimeout(240_000)

// Clients of the Open Movie Database from npm, as they are, and the executable: only the address is another.

const OmdbApi = require('omdb-api-pt')
const { clients } = require('md-movie-utils')
const omdbjs = require('omdbjs')
const OMDB = require('omdbapi')

let database: TestDatabase
let program: Program
let key: string
beforeAll(async () => {
  database = await createFilledDatabase()
  const environment = { ...quietSettings, ...databaseVariables(database.config) }
  program = await startProgram(environment)
  const email = 'alice@example.com'
  const commands: [args: string[], input?: string][] = [
    [['users', 'add', '--email', email, '--name', 'Alice'], PASSWORD],
    [['keys', 'add', email]],
  ]
  for (const [args, input] of commands) {
    const done = await redlight(args, environment, input)
    expect([args, done.code, done.error]).toEqual([args, 0, ''])
    key = done.out.trim()
  }
}, 300_000)
afterAll(async () => {
  await program?.stop()
  await database?.drop()
})
const url = () => new URL('/omdb', program.url).href

const refusalOf = (asked: Promise<unknown>): Promise<unknown> =>
  asked.then(
    () => 'no refusal',
    (error) => error,
  )

describe('imdb-api', () => {
  const client = (apiKey = key) => new Client({ apiKey, baseURL: url() })

  test('gets by id, by title, and with a year', async () => {
    expect(await client().get({ id: 'tt90000001' })).toMatchObject({
      title: 'Moana',
      year: 2016,
      type: 'movie',
    })
    const amelie = await client().get({ name: 'amelie', year: 2001 })
    expect(amelie).toMatchObject({ title: 'Amélie', genres: 'Comedy, Romance', rating: 0 })
    expect(amelie.released?.getFullYear()).toBe(2001)
  })

  test('searches, and goes to the next page', async () => {
    const first = await client().search({ name: 'the' })
    expect([first.totalresults, first.results.length]).toEqual([29, 10])
    const second = await first.next()
    expect(second.results.map(({ imdbid }) => imdbid)).not.toContain(first.results[0]?.imdbid)
  })

  test('gets errors for a missing movie and a wrong key', async () => {
    const missing = await refusalOf(client().get({ name: 'nothing such' }))
    expect(Object(missing).message).toBe('Movie not found!: nothing such')
    const none = await refusalOf(client().search({ name: 'nothing such' }))
    expect(Object(none).message).toStartWith('Movie not found!')
    const refused = await refusalOf(client('x').get({ id: 'tt90000001' }))
    expect(Object(refused).response.status).toBe(401)
  })
})

test('omdb-api-pt', async () => {
  const client = new OmdbApi({ apiKey: key, baseUrl: url() })
  expect(await client.byId({ imdb: 'tt90000001' })).toMatchObject({ Title: 'Moana', Response: 'True' })
  expect(await client.byId({ title: 'moana', year: 2016, plot: 'full' })).toMatchObject({ Title: 'Moana' })
  expect(await client.bySearch({ search: 'the', page: 3 })).toMatchObject({ totalResults: '29' })
  expect(await client.byId({ title: 'nothing such' })).toEqual({
    Response: 'False',
    Error: 'Movie not found!',
  })
  const refused = await refusalOf(new OmdbApi({ apiKey: 'x', baseUrl: url() }).byId({ title: 'moana' }))
  expect(Object(refused)).toMatchObject({
    statusCode: 401,
    response: { body: { Error: 'Invalid API key!' } },
  })
})

test('md-movie-utils', async () => {
  const client = new clients.OMDBClient(key, url())
  expect(await client.getByIMDBId('tt90000001')).toMatchObject({ title: 'Moana', imdbID: 'tt90000001' })
  expect(await client.getByTitleAndYear('moana', 2016)).toMatchObject({ title: 'Moana' })
  expect(await client.search({ query: 'the', page: 2 })).toHaveLength(10)
  expect(await client.search({ query: 'moana', type: 'series' })).toMatchObject({
    error: 'Series not found!',
  })
  const refused = await refusalOf(new clients.OMDBClient('x', url()).getByIMDBId('tt90000001'))
  expect(Object(refused).response.status).toBe(401)
})

test('omdbjs', async () => {
  omdbjs.setApiUrl(`${url()}?apikey=${key}`)
  const bodyOf = async (asked: { request(): Promise<{ body: unknown; text: string }> }) =>
    (await asked.request()).body
  expect(await bodyOf(omdbjs.imdbId('tt90000001').plot('full'))).toMatchObject({ Title: 'Moana' })
  expect(await bodyOf(omdbjs.title('moana').year(2016).type('movie'))).toMatchObject({ Title: 'Moana' })
  expect(await bodyOf(omdbjs.searchTitle('matrix').year(1999))).toMatchObject({ totalResults: '1' })
  expect(await bodyOf(omdbjs.title('nothing such'))).toMatchObject({ Error: 'Movie not found!' })
  const xml = await omdbjs.title('moana').format('xml').request()
  expect(xml.text).toStartWith('<root response="True"><movie title="Moana" year="2016"')
  omdbjs.setApiUrl(`${url()}?apikey=x`)
  expect(Object(await refusalOf(omdbjs.title('moana').request())).status).toBe(401)
})

test('omdbapi, which sends missing values as undefined', async () => {
  const client = new OMDB(key)
  client.utils.config.url = `${url()}?`
  expect(await client.get({ id: 'tt90000001' })).toMatchObject({
    title: 'Moana',
    genre: { 0: 'Animation', 1: 'Adventure' },
  })
  const unknown = { year: undefined, season: undefined, episode: undefined, type: undefined, plot: undefined }
  expect(await client.get({ title: 'moana', ...unknown })).toMatchObject({ title: 'Moana', awards: null })
  const found = await client.search({ search: 'the', year: undefined, page: undefined })
  expect(Object.keys(found)).toHaveLength(10)
  expect(Object(await refusalOf(client.get({ title: 'nothing such' }))).message).toBe('Movie not found!')
})
