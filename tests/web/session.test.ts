import { beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import type { Page } from 'playwright-core'
import { BROWSER_TIMEOUT_MS, hasBrowser, newPage } from '../support/browser'
import {
  addressIn,
  button,
  consoleInBrowser,
  count,
  heading,
  link,
  noProblems,
  notice,
  textbox,
} from '../support/console'
import { aMovie, PASSWORD, type TestUser } from '../support/server'
import { until } from '../support/until'

setDefaultTimeout(BROWSER_TIMEOUT_MS)

const { server, browser, open, giveSession } = consoleInBrowser()
let ana: TestUser
beforeAll(async () => {
  if (hasBrowser) ana = await server().newUser({ name: 'Ana', username: 'ana1' })
})
async function signIn(page: Page, name = ana.email) {
  await textbox(page, 'Email or username').fill(name)
  await textbox(page, 'Password').fill(PASSWORD)
  await button(page, 'Sign in').click()
}
/** Ends every session of the user, behind the back of the page, and gives a new token. */
async function endSessions() {
  await server().request('DELETE', '/v1/tokens/authentication', { token: ana.token })
  ana.token = await server().signIn(ana.email)
}
const stored = (page: Page) => page.evaluate<[number, number]>('[sessionStorage.length, localStorage.length]')

describe.skipIf(!hasBrowser)('a session', () => {
  test('begins where one wanted to go, and nowhere else', async () => {
    const opened = await open('/favourites?sort=title')
    const { page } = opened
    await heading(page, 'Sign in')
    expect(addressIn(page)).toBe('/sign-in?next=%2Ffavourites%3Fsort%3Dtitle')
    await signIn(page, 'ANA1')
    await heading(page, 'Favourites')
    expect(addressIn(page)).toBe('/favourites?sort=title')
    expect(await stored(page)).toEqual([1, 0])
    await button(page, 'Sign out').click()
    await heading(page, 'Sign in')
    expect(await stored(page)).toEqual([0, 0])
    // biome-ignore format: a list
    for (const next of ['https://evil.example/', '//evil.example/', '/\\evil.example', '\\\\evil.example', 'javascript:alert(1)', '/\t/evil.example', '']) {
      await page.goto(`${server().url}sign-in?next=${encodeURIComponent(next)}`)
      await signIn(page)
      await heading(page, 'Movies')
      expect([next, page.url()]).toEqual([next, server().url.href])
      await button(page, 'Sign out').click()
      await heading(page, 'Sign in')
    }
    noProblems(opened)
  })

  test('is in every tab, new ones too, and ends in all of them', async () => {
    const opened = await open('/', ana)
    const { page } = opened
    await count(page, '120 movies')
    const other = await page.context().newPage()
    await other.goto(`${server().url}movies/2`)
    await heading(other, 'Seven Samurai')
    await other.reload()
    await heading(other, 'Seven Samurai')
    await page.bringToFront()
    await button(page, 'Sign out').click()
    await heading(page, 'Sign in')
    await heading(other, 'Sign in')
    await other.bringToFront()
    await signIn(other)
    await heading(other, 'Seven Samurai')
    await heading(page, 'Movies')
    noProblems(opened)
  })

  test('that ends in another tab keeps what was typed, and closes any question', async () => {
    const opened = await open('/movies/new', ana)
    const { page } = opened
    await textbox(page, 'Title').fill('Half typed')
    await link(page, 'Cancel').click()
    await page.getByRole('dialog', { name: 'Leave without saving?' }).waitFor()
    const other = await page.context().newPage()
    await other.goto(server().url.href)
    await button(other, 'Sign out').click()
    await heading(page, 'Sign in')
    await page.bringToFront()
    await signIn(page)
    await heading(page, 'Add a movie')
    expect(await textbox(page, 'Title').inputValue()).toBe('Half typed')
    noProblems(opened)
  })

  test('stays on the device if one says so, and only then', async () => {
    const opened = await open('/sign-in')
    const { page } = opened
    await page.getByLabel('Stay signed in on this device').check()
    await signIn(page)
    await heading(page, 'Movies')
    expect(await stored(page)).toEqual([0, 1])
    const context = page.context()
    await page.close()
    const later = await context.newPage()
    await later.goto(server().url.href)
    await count(later, '120 movies')
    await button(later, 'Sign out').click()
    await heading(later, 'Sign in')
    expect(await stored(later)).toEqual([0, 0])
  })

  test('that has ended leads to the sign-in and back, with what was typed', async () => {
    const { body } = await server().request<{ movie: { id: number } }>('POST', '/v1/movies', {
      token: ana.token,
      body: aMovie('Typed'),
    })
    const opened = await open(`/movies/${body.movie.id}/edit`, ana)
    const { page } = opened
    await textbox(page, 'Synopsis').fill('A long text that must not be lost.')
    await endSessions()
    await button(page, 'Save changes').click()
    await heading(page, 'Sign in')
    await page.getByText('Your session has ended. Sign in again to go on where you were.').waitFor()
    await signIn(page)
    await heading(page, 'Edit “Typed”')
    expect(await textbox(page, 'Synopsis').inputValue()).toBe('A long text that must not be lost.')
    await button(page, 'Save changes').click()
    await notice(page, 'Your changes are saved.')
    await server().request('DELETE', `/v1/movies/${body.movie.id}`, { token: ana.token })
    noProblems(opened)
  })

  test('that has ended keeps what was typed, but not what others have changed since', async () => {
    const { body } = await server().request<{ movie: { id: number } }>('POST', '/v1/movies', {
      token: ana.token,
      body: aMovie('Typed Before', { director: 'Before', synopsis: 'Before.' }),
    })
    const path = `/v1/movies/${body.movie.id}`
    const opened = await open(`/movies/${body.movie.id}/edit`, ana)
    const { page } = opened
    await textbox(page, 'Synopsis').fill('Mine.')
    await endSessions()
    await button(page, 'Save changes').click()
    await heading(page, 'Sign in')
    const theirs = { director: 'Theirs', synopsis: 'Theirs.' }
    await server().request('PATCH', path, { token: ana.token, body: theirs })
    await signIn(page)
    await heading(page, 'Edit “Typed Before”')
    expect(await textbox(page, 'Synopsis').inputValue()).toBe('Mine.')
    expect(await textbox(page, 'Director').inputValue()).toBe('Theirs')
    await button(page, 'Save changes').click()
    const dialog = page.getByRole('dialog', { name: 'Someone else changed this movie' })
    await dialog.waitFor()
    expect(await dialog.getByRole('row').allInnerTexts()).toEqual([
      'Field\tSaved now\tYours',
      'Synopsis\tTheirs.\tMine.',
    ])
    await button(dialog, 'Save mine').click()
    await notice(page, 'Your changes are saved.')
    const saved = await server().request<{ movie: object }>('GET', path, { token: ana.token })
    expect(saved.body.movie).toMatchObject({ director: 'Theirs', synopsis: 'Mine.', version: 3 })
    await server().request('DELETE', path, { token: ana.token })
    noProblems(opened)
  })

  test('is renewed while one uses it', async () => {
    const { page } = await newPage(browser(), server().url)
    await giveSession(page, ana)
    await page.clock.install()
    await page.goto(server().url.href)
    await count(page, '120 movies')
    await page.clock.fastForward('29:00')
    await page.getByRole('heading', { level: 1 }).click()
    await page.clock.fastForward('02:00')
    const token = () => page.evaluate<string>('JSON.parse(sessionStorage.getItem("redlight.session")).token')
    await until(async () => (await token()) !== ana.token)
    const renewed = await server().request('GET', '/v1/users/me', { token: await token() })
    expect(renewed.status).toBe(200)
  })

  test('ends where it can’t be renewed, with a notice before', async () => {
    const { page } = await newPage(browser(), server().url)
    await giveSession(page, ana)
    await page.clock.install()
    await page.goto(server().url.href)
    await count(page, '120 movies')
    await page.clock.fastForward('51:00')
    await notice(page, /^You’ll be signed out at \d\d:\d\d\.$/)
    await page.clock.fastForward('10:00')
    await heading(page, 'Sign in')
    await page.getByText('Your session has ended.').waitFor()
  })
})
