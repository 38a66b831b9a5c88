import { beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import type { Page } from 'playwright-core'
import { BROWSER_TIMEOUT_MS, hasBrowser } from '../support/browser'
import {
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
import { aMovie, PASSWORD, type TestUser } from '../support/server'

setDefaultTimeout(BROWSER_TIMEOUT_MS)

const { server, open } = consoleInBrowser()
let ana: TestUser
beforeAll(async () => {
  if (!hasBrowser) return
  ana = await server().newUser({ name: 'Ana' })
  await server().newUser({ username: 'taken1' })
})
const NEW_PASSWORD = 'another horse battery'
const region = (page: Page, name: string) => page.getByRole('region', { name, exact: true })
const openAccount = async (user: TestUser) => {
  const opened = await open('/account', user)
  await heading(opened.page, 'Your account')
  return opened
}
async function signIn(page: Page, email: string, password: string) {
  await textbox(page, 'Email or username').fill(email)
  await textbox(page, 'Password').fill(password)
  await button(page, 'Sign in').click()
}

describe.skipIf(!hasBrowser)('an account', () => {
  test('has a name and a username, which are changed', async () => {
    const opened = await openAccount(ana)
    const { page } = opened
    const profile = region(page, 'Profile')
    await textbox(profile, 'Username').fill('taken1')
    await button(profile, 'Save profile').click()
    await profile.getByText('a user with this username already exists').waitFor()
    expect(await focused(page)).toBe('Username')
    await textbox(profile, 'Username').fill('ana1')
    await textbox(profile, 'Name').fill('Ana María')
    await button(profile, 'Save profile').click()
    await notice(page, 'Your profile is saved.')
    await page.reload()
    expect(await textbox(profile, 'Name').inputValue()).toBe('Ana María')
    await textbox(profile, 'Username').fill('')
    await button(profile, 'Save profile').click()
    await notice(page, 'Your profile is saved.')
    const { body } = await server().request<{ user: object }>('GET', '/v1/users/me', { token: ana.token })
    expect(body.user).toMatchObject({ name: 'Ana María' })
    expect(body.user).not.toHaveProperty('username')
    noProblems(opened)
  })

  test('makes keys that are shown once, and revokes them', async () => {
    const opened = await openAccount(ana)
    const { page } = opened
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
    await button(page, 'Make a key').click()
    await page.getByRole('alert').getByText('Please correct the marked fields.').waitFor()
    await textbox(page, 'Name of the key').fill('TV <1>')
    await button(page, 'Make a key').click()
    const key = await textbox(page, 'Your new key').inputValue()
    expect(key).toMatch(/^rl_\w{36}$/)
    await page.getByText('Copy it now: it won’t be shown again.').waitFor()
    await button(page, 'Copy').click()
    await notice(page, 'Copied.')
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe(key)
    const read = () => server().request('GET', '/v1/movies/1', { token: key })
    expect((await read()).status).toBe(200)
    await page.reload()
    const table = page.getByRole('table', { name: 'API keys' })
    await table.getByText('TV <1>').waitFor()
    expect(await page.getByText(key).count()).toBe(0)
    await button(page, 'Revoke TV <1>').click()
    await button(page.getByRole('dialog', { name: 'Revoke “TV <1>”?' }), 'Revoke key').click()
    await notice(page, '“TV <1>” is revoked.')
    await table.waitFor({ state: 'detached' })
    expect((await read()).status).toBe(401)
    noProblems(opened)
  })

  test('gets another password, and stays signed in here alone', async () => {
    const elsewhere = await open('/favourites', ana)
    const opened = await openAccount(ana)
    const { page } = opened
    const tab = await page.context().newPage()
    await tab.goto(`${server().url}my-movies`)
    await heading(tab, 'My movies')
    await page.bringToFront()
    const section = region(page, 'Password')
    await textbox(section, 'Current password').fill('wrong password')
    await textbox(section, 'New password').fill(NEW_PASSWORD)
    await button(section, 'Change password').click()
    await section.getByText('is not your password').waitFor()
    await textbox(section, 'Current password').fill(PASSWORD)
    await button(section, 'Change password').click()
    await notice(page, 'Your password is changed.')
    // The end of the old token ends nothing here.
    await page.evaluate((end) => new BroadcastChannel('redlight').postMessage({ end }), ana.token)
    await link(tab, 'Favourites').click()
    await tab.getByText('No favourites yet.').waitFor()
    await page.reload()
    await heading(page, 'Your account')
    await elsewhere.page.reload()
    await heading(elsewhere.page, 'Sign in')
    ana = { ...ana, password: NEW_PASSWORD, token: await server().signIn(ana.email, NEW_PASSWORD) }
    noProblems(opened)
  })

  test('gets another address, once the link sent to it is opened', async () => {
    const opened = await openAccount(ana)
    const { page } = opened
    const section = region(page, 'Email')
    const email = `ana.new.${crypto.randomUUID().slice(0, 8)}@example.com`
    await textbox(section, 'New email').fill(email)
    await textbox(section, 'Current password').fill(NEW_PASSWORD)
    await button(section, 'Change email').click()
    await section.getByText(`Check your mail at ${email}`).waitFor()
    await page.reload()
    await section.getByText(`Check your mail at ${email}`).waitFor()
    const token = await server().mailedToken(email)
    await page.goto(`${server().url}confirm-email#token=${token}`)
    await heading(page, 'Confirm your new email')
    expect(page.url()).toBe(`${server().url}confirm-email`)
    await button(page, 'Use this email').click()
    await page.getByText('Your email is changed. Sign in with it.', { exact: true }).waitFor()
    await link(page, 'Sign in').click()
    await signIn(page, email, NEW_PASSWORD)
    await heading(page, 'Movies')
    ana = { ...ana, email, token: await server().signIn(email, NEW_PASSWORD) }
    noProblems(opened)
  })

  test('is signed out everywhere', async () => {
    const opened = await openAccount(ana)
    await button(opened.page, 'Sign out everywhere').click()
    await heading(opened.page, 'Sign in')
    await notice(opened.page, 'You are signed out everywhere.')
    expect((await server().request('GET', '/v1/users/me', { token: ana.token })).status).toBe(401)
    ana.token = await server().signIn(ana.email, NEW_PASSWORD)
    noProblems(opened)
  })

  test('is deleted, and its movies stay without its name', async () => {
    const { body } = await server().request<{ movie: { id: number } }>('POST', '/v1/movies', {
      token: ana.token,
      body: aMovie('What Stays'),
    })
    const opened = await openAccount(ana)
    const { page } = opened
    await button(page, 'Delete account').click()
    const dialog = page.getByRole('dialog', { name: 'Delete your account?' })
    await textbox(dialog, 'Password').fill('wrong password')
    await button(dialog, 'Delete my account').click()
    await dialog.getByText('is not your password').waitFor()
    await textbox(dialog, 'Password').fill(NEW_PASSWORD)
    await button(dialog, 'Delete my account').click()
    await heading(page, 'Sign in')
    await signIn(page, ana.email, NEW_PASSWORD)
    await page.getByText('Wrong email, username or password.').waitFor()
    const reader = await server().newUser()
    const { page: other } = await open(`/movies/${body.movie.id}`, reader)
    await heading(other, 'What Stays')
    await other.getByText('Redlight', { exact: true }).last().waitFor()
    noProblems(opened)
  })
})

describe.skipIf(!hasBrowser)('without an account', () => {
  test('nothing is shown but the entrance, unless movies are open to anyone', async () => {
    const { page } = await open('/movies/1')
    await heading(page, 'Sign in')
    expect(await page.getByRole('navigation', { name: 'Main' }).count()).toBe(0)
    expect(await page.getByRole('searchbox').count()).toBe(0)
  })
})

describe.skipIf(!hasBrowser)('where anyone may read', () => {
  const anonymous = consoleInBrowser({
    anonymousRead: true,
    site: { name: 'Kino <1> & "2"', url: 'http://localhost:4000' },
  })

  test('the list and movies are there, and hearts lead to the sign-in and back', async () => {
    const opened = await anonymous.open('/')
    const { page } = opened
    await count(page, '120 movies')
    expect(await page.title()).toBe('Movies · Kino <1> & "2"')
    await link(page, 'Kino <1> & "2", home').waitFor()
    await button(page, 'Favourite Moana').click()
    await heading(page, 'Sign in')
    expect(new URL(page.url()).search).toBe('?next=%2F')
    await page.goBack()
    await page.getByRole('link', { name: /^Moana 2016/ }).click()
    await heading(page, 'Moana')
    await button(page, 'Favourite').click()
    const reader = await anonymous.server().newUser()
    await signIn(page, reader.email, PASSWORD)
    await heading(page, 'Moana')
    await page.goto(`${anonymous.server().url}favourites`)
    await heading(page, 'Favourites')
    noProblems(opened)
  })
})
