import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { BROWSER_TIMEOUT_MS, hasBrowser, newPage, PLAIN_HOST } from '../support/browser'
import {
  button,
  consoleInBrowser,
  count,
  heading,
  link,
  noProblems,
  notice,
  textbox,
} from '../support/console'
import { aMovie, PASSWORD } from '../support/server'

setDefaultTimeout(BROWSER_TIMEOUT_MS)

// What settings and the kind of address change of the console.

const KINO = { name: 'Kino', url: 'https://kino.example' }
const closed = consoleInBrowser({ console: { enabled: false, posters: true }, site: KINO })
const { server, open, browser, giveSession } = consoleInBrowser({
  console: { enabled: true, posters: false },
  site: { name: 'Kino', url: 'http://localhost:4000' },
})

describe.skipIf(!hasBrowser)('without posters', () => {
  test('no picture of another host is asked for', async () => {
    const ana = await server().newUser()
    const posters = { poster: 'https://posters.invalid/1.jpg' }
    const { body } = await server().request<{ movie: { id: number } }>('POST', '/v1/movies', {
      token: ana.token,
      body: aMovie('Has a Poster', posters),
    })
    const opened = await open('/my-movies', ana)
    await count(opened.page, '1 movie')
    await opened.page.goto(`${server().url}movies/${body.movie.id}/edit`)
    await heading(opened.page, 'Edit “Has a Poster”')
    expect(await opened.page.locator('img').count()).toBe(0)
    noProblems(opened)
  })
})

describe.skipIf(!hasBrowser)('a site with a name', () => {
  test('is called so when it has a problem or can’t be reached', async () => {
    const ana = await server().newUser()
    const { page } = await open('/movies/1', ana)
    await heading(page, 'Moana')
    await page.route('**/v1/movies?*', (route) => route.fulfill({ status: 500, json: { error: 'x' } }))
    await link(page, 'Movies').click()
    await page.getByRole('alert').getByText('Kino has a problem just now.').waitFor()
    await page.unroute('**/v1/movies?*')
    await page.context().setOffline(true)
    await button(page, 'Try again').click()
    await page.getByText('Kino can’t be reached. What you see may be out of date.').waitFor()
  })
})

describe.skipIf(!hasBrowser)('where browsers have no clipboard', () => {
  test('a key is copied all the same', async () => {
    const ana = await server().newUser()
    const plain = new URL(server().url)
    plain.hostname = PLAIN_HOST
    const { page } = await newPage(browser(), plain)
    await giveSession(page, ana, plain)
    await page.goto(new URL('account', plain).href)
    await textbox(page, 'Name of the key').fill('TV')
    await button(page, 'Make a key').click()
    const key = await textbox(page, 'Your new key').inputValue()
    expect(await page.evaluate('[isSecureContext, typeof navigator.clipboard]')).toEqual([false, 'undefined'])
    await button(page, 'Copy').click()
    await notice(page, 'Copied.')
    await textbox(page, 'New email').focus()
    await page.keyboard.press('Control+V')
    expect(await textbox(page, 'New email').inputValue()).toBe(key)
  })
})

describe.skipIf(!hasBrowser)('without the console', () => {
  test('an account is activated, and used elsewhere', async () => {
    const email = 'nell@example.com'
    const body = { name: 'Nell', email, password: PASSWORD }
    expect((await closed.server().request('POST', '/v1/users', { body })).status).toBe(201)
    const token = await closed.server().mailedToken(email)
    const opened = await closed.open(`/activate#token=${token}`)
    const { page } = opened
    await heading(page, 'Activate your account')
    expect(await link(page, 'Kino, home').getAttribute('href')).toBe('/docs')
    expect(await page.getByRole('searchbox').count()).toBe(0)
    await button(page, 'Activate my account').click()
    await page.getByText('Your account is active.').waitFor()
    expect(await link(page, 'Sign in').getAttribute('href')).toBe(KINO.url)
    noProblems(opened)
  })
})
