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
import { PASSWORD, type TestUser } from '../support/server'
import { until } from '../support/until'

setDefaultTimeout(BROWSER_TIMEOUT_MS)

const { server, open } = consoleInBrowser()
let ana: TestUser
beforeAll(async () => {
  if (hasBrowser) ana = await server().newUser({ name: 'Ana' })
})

/** Holds the answers at such addresses; returns what lets them go on. */
async function hold(page: Page, address: string) {
  const { promise: gate, resolve: release } = Promise.withResolvers<void>()
  const { promise: asked, resolve: seen } = Promise.withResolvers<void>()
  await page.route(address, async (route) => {
    seen()
    await gate
    await route.continue()
  })
  return { asked, release }
}
const focusIs = (page: Page, name: string) => until(async () => (await focused(page)) === name)

describe.skipIf(!hasBrowser)('the focus', () => {
  test('is on the heading after signing in, which never leads back to the sign-in', async () => {
    const { page } = await open('/sign-in?next=/sign-in')
    await textbox(page, 'Email or username').fill(ana.email)
    await textbox(page, 'Password').fill(PASSWORD)
    await button(page, 'Sign in').click()
    await heading(page, 'Movies')
    await focusIs(page, 'Movies')
    expect(addressIn(page)).toBe('/')
  })

  test('goes from the heading of a page that loads to that of the page', async () => {
    const opened = await open('/', ana)
    const { page } = opened
    const { asked, release } = await hold(page, '**/v1/movies/*')
    await page.getByRole('link', { name: /^Moana 2016/ }).click()
    await asked
    await heading(page, 'Movie')
    expect([await focused(page), await page.title()]).toEqual(['Movie', 'Movie · Redlight'])
    release()
    await heading(page, 'Moana')
    await focusIs(page, 'Moana')
    noProblems(opened)
  })

  test('stays where it was put while a page loads', async () => {
    const { page } = await open('/', ana)
    const { asked, release } = await hold(page, '**/v1/movies/*')
    await page.getByRole('link', { name: /^Moana 2016/ }).click()
    await asked
    await page.keyboard.press('/')
    release()
    await heading(page, 'Moana')
    expect(await focused(page)).toBe('Search movies')
  })

  test('is not lost when what was pressed makes way for what came of it', async () => {
    const { page } = await open('/activate#token=AAAAAAAAAAAAAAAAAAAAAAAAAA')
    await button(page, 'Activate my account').click()
    await page.getByText('This link no longer works').waitFor()
    await focusIs(page, 'Activate your account')
    await page.goto(`${server().url}register`)
    await textbox(page, 'Name').fill('New')
    await textbox(page, 'Email').fill('new@example.com')
    await textbox(page, 'Password').fill(PASSWORD)
    await button(page, 'Create account').click()
    await heading(page, 'Check your mail')
    await focusIs(page, 'Check your mail')

    const { page: account } = await open('/account', ana)
    await textbox(account, 'Name of the key').fill('TV')
    await textbox(account, 'Name of the key').press('Enter')
    await textbox(account, 'Your new key').waitFor()
    expect(await focused(account)).toContain('Your new key')
    await button(account, 'Revoke TV').click()
    await button(account, 'Revoke key').click()
    await notice(account, '“TV” is revoked.')
    await focusIs(account, 'API keys')
  })
})

describe.skipIf(!hasBrowser)('a page', () => {
  test('that can’t know who is signed in says so, and tries again', async () => {
    const { page } = await open('/', ana)
    await count(page, '120 movies')
    await page.route('**/v1/users/me', (route) => route.fulfill({ status: 500, json: { error: 'no' } }))
    await page.goto(`${server().url}account`)
    await page.getByRole('alert').getByText('Redlight has a problem just now.').waitFor()
    await heading(page, 'Your account')
    await page.unroute('**/v1/users/me')
    await button(page, 'Try again').click()
    await textbox(page, 'Username').waitFor()
  })

  test.each(['<p>Sign in to this network</p>', '[]'])('whose answer is %s says so', async (body) => {
    const opened = await open('/movies/1', ana)
    const { page } = opened
    await heading(page, 'Moana')
    await page.route('**/v1/movies?*', (route) => route.fulfill({ status: 200, body }))
    await link(page, 'Movies').click()
    await page.getByRole('alert').getByText('Redlight has a problem just now.').waitFor()
    await page.unroute('**/v1/movies?*')
    await button(page, 'Try again').click()
    await count(page, '120 movies')
    noProblems(opened)
  })

  test('is where it was left, however late its answer is', async () => {
    const { page } = await open('/', ana)
    await count(page, '120 movies')
    await page.evaluate('scrollTo(0, 900)')
    const { asked, release } = await hold(page, '**/v1/movies?*')
    await page.clock.install()
    await page.reload()
    await asked
    await page.clock.runFor(5000)
    release()
    await count(page, '120 movies')
    await until(async () => (await page.evaluate('scrollY')) === 900)
  })
})

describe.skipIf(!hasBrowser)('without the catalogue', () => {
  const bare = consoleInBrowser({ console: { enabled: false, posters: true } })

  test('links lead out of the console', async () => {
    const { page } = await bare.open('/activate')
    await link(page, 'Redlight, home').click()
    await page.waitForURL('**/docs')
    await button(page, 'Sign in').first().waitFor()
  })
})
