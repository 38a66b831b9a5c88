import { beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import type { Page } from 'playwright-core'
import { BROWSER_TIMEOUT_MS, hasBrowser } from '../support/browser'
import {
  addressIn,
  button,
  consoleInBrowser,
  count,
  focused,
  heading,
  link,
  noProblems,
  notice,
  textbox,
} from '../support/console'
import { aMovie, type TestUser } from '../support/server'
import { until } from '../support/until'

setDefaultTimeout(BROWSER_TIMEOUT_MS)

const { server, open } = consoleInBrowser()
let ana: TestUser
beforeAll(async () => {
  if (hasBrowser) ana = await server().newUser({ name: 'Ana' })
})

type Movie = { id: number; version: number } & Record<string, unknown>
const ask = async (method: string, path: string, body?: unknown) =>
  (await server().request<{ movie: Movie }>(method, path, { token: ana.token, body })).body.movie
const newMovie = (title: string, more: object = {}) => ask('POST', '/v1/movies', aMovie(title, { ...more }))
const read = (id: number) => ask('GET', `/v1/movies/${id}`)
const edit = async (id: number) => {
  const opened = await open(`/movies/${id}/edit`, ana)
  await textbox(opened.page, 'Title').waitFor()
  return opened
}
/** Holds such requests; returns what lets them go on. */
async function hold(page: Page, method: string, answer?: { status: number; json: object }) {
  const { promise: gate, resolve: release } = Promise.withResolvers<void>()
  const { promise: asked, resolve: seen } = Promise.withResolvers<void>()
  await page.route('**/v1/movies/*', async (route) => {
    if (route.request().method() !== method) return route.fallback()
    seen()
    await gate
    return answer ? route.fulfill(answer) : route.continue()
  })
  return { asked, release }
}
const dialog = (page: Page, name: string) => page.getByRole('dialog', { name, exact: true })
const cells = (page: Page) => page.getByRole('dialog').getByRole('row').allInnerTexts()

describe.skipIf(!hasBrowser)('a movie', () => {
  test('is added, with what is wrong said at its field', async () => {
    const opened = await open('/movies/new', ana)
    const { page } = opened
    await heading(page, 'Add a movie')
    await button(page, 'Add movie').click()
    await page.getByRole('alert').getByText('Please correct the marked fields.').waitFor()
    expect(await focused(page)).toBe('Title')
    await textbox(page, 'Title').fill('Moana')
    await textbox(page, 'Year').fill('1')
    // No longer than the longest that the API takes.
    await textbox(page, 'Runtime in minutes').pressSequentially('9'.repeat(400))
    expect(await textbox(page, 'Runtime in minutes').inputValue()).toBe('999999')
    await textbox(page, 'Runtime in minutes').fill('96')
    await textbox(page, 'Genres').fill('drama, comedy')
    await button(page, 'Add movie').click()
    await page.getByText(/must be between 1888 and/).waitFor()
    expect(await focused(page)).toBe('Year')
    const described = await textbox(page, 'Year').getAttribute('aria-describedby')
    expect(await page.locator(`[id="${described}"]`).textContent()).toContain('must be between 1888')
    await textbox(page, 'Year').fill('2024')
    await button(page, 'Add movie').click()
    await page.getByText('a movie with this title already exists').waitFor()
    await textbox(page, 'Title').fill('Anora’s Friend')
    await textbox(page, 'Director').fill('A. Director')
    await textbox(page, 'Cast').fill('First Name\n\n Second Name ')
    await textbox(page, 'Release date').fill('2024-10-18')
    await textbox(page, 'Synopsis').fill('Two lines.\nOf text.')
    await textbox(page, 'IMDb id').fill('tt9990001')
    await textbox(page, 'Your own id').fill('my-1')
    await textbox(page, 'Poster address').fill('https://posters.invalid/1.jpg')
    await button(page, 'Add movie').click()
    await heading(page, 'Anora’s Friend')
    await notice(page, '“Anora’s Friend” is in the catalogue.')
    const id = Number(/\d+$/.exec(addressIn(page))?.[0])
    expect(await read(id)).toMatchObject({
      title: 'Anora’s Friend',
      year: 2024,
      runtime: '96 mins',
      genres: ['drama', 'comedy'],
      director: 'A. Director',
      cast: ['First Name', 'Second Name'],
      release_date: '2024-10-18',
      synopsis: 'Two lines.\nOf text.',
      imdb_id: 'tt9990001',
      external_id: 'my-1',
      poster: 'https://posters.invalid/1.jpg',
    })
    await link(page, 'Edit').click()
    await textbox(page, 'Director').fill('')
    await textbox(page, 'Year').fill('2023')
    await button(page, 'Save changes').click()
    await notice(page, 'Your changes are saved.')
    const saved = await read(id)
    expect([saved.director, saved.year, saved.version]).toEqual([undefined, 2023, 2])

    await button(page, 'Delete').click()
    await button(page, 'Cancel').click()
    expect(await focused(page)).toBe('Delete')
    await button(page, 'Delete').click()
    await button(dialog(page, 'Delete “Anora’s Friend”?'), 'Delete movie').click()
    await notice(page, '“Anora’s Friend” is deleted.')
    await count(page, '120 movies')
    // The poster's host is unreachable.
    expect(
      opened.problems.filter(
        (problem) => !problem.includes('posters.invalid') && !problem.includes('ERR_NAME'),
      ),
    ).toEqual([])
  })

  test('that is changed in two windows loses neither change', async () => {
    const { id } = await newMovie('Two Windows', { director: 'Before', synopsis: 'Before.' })
    const [first, second] = [await edit(id), await edit(id)]
    await textbox(first.page, 'Director').fill('First')
    await textbox(first.page, 'Synopsis').fill('First.')
    await button(first.page, 'Save changes').click()
    await heading(first.page, 'Two Windows')

    const { page } = second
    await textbox(page, 'Director').fill('Second')
    await button(page, 'Save changes').click()
    await dialog(page, 'Someone else changed this movie').waitFor()
    expect(await cells(page)).toEqual([
      'Field\tSaved now\tYours',
      'Director\tFirst\tSecond',
      'Synopsis\tFirst.\tunchanged by you, stays as saved',
    ])
    await page.keyboard.press('Escape')
    expect(await textbox(page, 'Director').inputValue()).toBe('Second')
    await button(page, 'Save changes').click()
    await button(page, 'Back to editing').click()
    await button(page, 'Save changes').click()
    await dialog(page, 'Someone else changed this movie').waitFor()
    // A third one comes in between.
    await ask('PATCH', `/v1/movies/${id}`, { director: 'Third' })
    await button(page, 'Save mine').click()
    await page.getByRole('cell', { name: 'Third' }).waitFor()
    await button(page, 'Save mine').click()
    await heading(page, 'Two Windows')
    expect(await read(id)).toMatchObject({ director: 'Second', synopsis: 'First.', version: 4 })
    noProblems(first, second)
  })

  test('whose other change is kept is left as it is', async () => {
    const { id } = await newMovie('Keep Theirs', { director: 'Before' })
    const opened = await edit(id)
    const { page } = opened
    await ask('PATCH', `/v1/movies/${id}`, { director: 'Theirs' })
    await textbox(page, 'Director').fill('Mine')
    await button(page, 'Save changes').click()
    await button(page, 'Keep theirs').click()
    await heading(page, 'Keep Theirs')
    await link(page, 'Theirs').waitFor()
    expect((await read(id)).version).toBe(2)

    // The same change twice is no conflict, and one of a movie that is gone says so.
    await page.goto(`${server().url}movies/${id}/edit`)
    await textbox(page, 'Director').fill('Same')
    await ask('PATCH', `/v1/movies/${id}`, { director: 'Same' })
    await button(page, 'Save changes').click()
    await notice(page, 'Your changes are saved.')
    await page.goto(`${server().url}movies/${id}/edit`)
    await textbox(page, 'Director').fill('Late')
    await ask('DELETE', `/v1/movies/${id}`)
    await button(page, 'Save changes').click()
    await page.getByRole('alert').getByText('That isn’t there any more.').waitFor()
    expect(await textbox(page, 'Director').inputValue()).toBe('Late')
    noProblems(opened)
  })

  test('that came without runtime and genres is changed without giving any', async () => {
    const { id } = await newMovie('Imported')
    await server().sql`update movies set runtime = null, genres = '{}' where id = ${id}`
    const opened = await edit(id)
    const { page } = opened
    expect(await textbox(page, 'Runtime in minutes').inputValue()).toBe('')
    await textbox(page, 'Director').fill('Somebody')
    await button(page, 'Save changes').click()
    await notice(page, 'Your changes are saved.')
    expect(await read(id)).toMatchObject({ director: 'Somebody', genres: [] })
    noProblems(opened)
  })

  test('is sent with what was changed, and nothing that the form writes otherwise', async () => {
    const synopsis = ' One line.\r\nAnother. '
    const { id } = await newMovie('As It Was', { synopsis, genres: ['drama', ' comedy'], cast: ['A', ' B '] })
    const { page } = await edit(id)
    await textbox(page, 'Release date').pressSequentially('11')
    await textbox(page, 'Runtime in minutes').fill('long')
    await button(page, 'Save changes').click()
    await page.getByText('is not complete').waitFor()
    await textbox(page, 'Release date').fill('')
    await button(page, 'Save changes').click()
    await page.getByText(/^must be a whole number, from 1 to \d+ minutes$/).waitFor()
    await textbox(page, 'Runtime in minutes').fill('99')
    await ask('PATCH', `/v1/movies/${id}`, { director: 'Theirs' })
    const patch = page.waitForRequest((request) => request.method() === 'PATCH')
    await button(page, 'Save changes').click()
    expect((await patch).postDataJSON()).toEqual({ runtime: '99 mins' })
    await dialog(page, 'Someone else changed this movie').waitFor()
    expect(await cells(page)).toHaveLength(3)
    await button(page, 'Save mine').click()
    await heading(page, 'As It Was')
    expect(await read(id)).toMatchObject({ runtime: '99 mins', synopsis, director: 'Theirs' })
  })

  test('of somebody else has no form', async () => {
    const { page } = await open('/movies/1/edit', ana)
    await page.getByText('Only the person who added this movie can change it.').waitFor()
    expect(await page.getByRole('textbox').count()).toBe(0)
    const reader = await server().newUser({ permissions: ['movies:read'] })
    const { page: other } = await open('/movies/new', reader)
    await other.getByText('You aren’t allowed to do that.').waitFor()
    expect(await link(other, 'Add a movie').count()).toBe(0)
  })
})

describe.skipIf(!hasBrowser)('a question', () => {
  test('is not answered by the key that asked it', async () => {
    const { id } = await newMovie('Pressed Twice')
    const { page } = await open(`/movies/${id}`, ana)
    await button(page, 'Delete').press('Enter')
    await dialog(page, 'Delete “Pressed Twice”?').waitFor()
    await page.keyboard.press('Enter')
    expect(await focused(page)).toBe('Delete “Pressed Twice”?')
    await page.keyboard.press('Tab')
    expect(await focused(page)).toBe('Delete movie')
    expect((await read(id)).id).toBe(id)
  })

  test('stays until it is known what came of it', async () => {
    const { id } = await newMovie('Slowly Deleted')
    const { page } = await open(`/movies/${id}`, ana)
    const { asked, release } = await hold(page, 'DELETE', { status: 500, json: { error: 'no' } })
    await button(page, 'Delete').click()
    const question = dialog(page, 'Delete “Slowly Deleted”?')
    await button(question, 'Delete movie').click()
    await asked
    for (let presses = 0; presses < 3; presses++) await page.keyboard.press('Escape')
    expect(await button(question, 'Cancel').isDisabled()).toBe(true)
    release()
    await question.getByRole('alert').getByText('Redlight has a problem just now.').waitFor()
    await page.keyboard.press('Escape')
    await question.waitFor({ state: 'detached' })
  })

  test('whose page is left tells what came of it, and leads nowhere', async () => {
    const { id } = await newMovie('Left While Deleted')
    const { page } = await open('/favourites', ana)
    await page.goto(`${server().url}movies/${id}`)
    await link(page, 'My movies').click()
    await page.goBack()
    const { asked, release } = await hold(page, 'DELETE')
    await button(page, 'Delete').click()
    await button(page.getByRole('dialog'), 'Delete movie').click()
    await asked
    await page.goForward()
    await heading(page, 'My movies')
    release()
    await notice(page, '“Left While Deleted” is deleted.')
    expect(addressIn(page)).toBe('/my-movies')
  })
})

describe.skipIf(!hasBrowser)('a changed form', () => {
  test('that was left while it was saved leads nowhere', async () => {
    const { id } = await newMovie('Saved Late')
    const { page } = await edit(id)
    await textbox(page, 'Synopsis').fill('Late.')
    const { asked, release } = await hold(page, 'PATCH')
    await button(page, 'Save changes').click()
    await asked
    await link(page, 'Add a movie').click()
    await button(page, 'Leave').click()
    await textbox(page, 'Title').fill('Half typed')
    release()
    await notice(page, 'Your changes are saved.')
    expect(await textbox(page, 'Title').inputValue()).toBe('Half typed')
    // It is still asked about; what is left to the same page begins empty, and asked about again.
    for (const title of ['Half typed', 'Typed again']) {
      await textbox(page, 'Title').fill(title)
      await link(page, 'Add a movie').click()
      await button(page, 'Leave').click()
      await until(async () => (await textbox(page, 'Title').inputValue()) === '')
    }
  })

  test('asks before it is left, by link, by Back and by closing', async () => {
    const { id } = await newMovie('Left Behind')
    const opened = await open(`/movies/${id}`, ana)
    const { page } = opened
    await link(page, 'Edit').click()
    await textbox(page, 'Synopsis').fill('half a sentence')
    const question = dialog(page, 'Leave without saving?')
    await link(page, 'Favourites').click()
    await button(question, 'Stay').click()
    expect(await textbox(page, 'Synopsis').inputValue()).toBe('half a sentence')
    await link(page, 'Skip to the content').press('Enter')
    expect(await page.evaluate('document.activeElement.id + location.hash')).toBe('main')
    // Typed by hand.
    await page.evaluate("location.hash = 'cast'")
    await page.goBack()
    expect(await question.count()).toBe(0)
    await page.goBack()
    await question.waitFor()
    expect(addressIn(page)).toBe(`/movies/${id}/edit`)
    await page.keyboard.press('Escape')
    let asked = 0
    page.on('dialog', async (native) => {
      asked++
      await native.dismiss()
    })
    await page.close({ runBeforeUnload: true })
    await link(page, 'Favourites').click()
    expect(asked).toBe(1)
    await button(question, 'Leave').click()
    await heading(page, 'Favourites')
    await page.goBack()
    await heading(page, 'Edit “Left Behind”')
    await textbox(page, 'Synopsis').fill('again')
    await page.goBack()
    await button(question, 'Leave').click()
    await heading(page, 'Left Behind')
    expect((await read(id)).version).toBe(1)
    noProblems(opened)
  })
})
