import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import type { Browser, Page } from 'playwright-core'
import { BROWSER_TIMEOUT_MS, hasBrowser, launchBrowser, newPage } from '../support/browser'
import { databaseVariables } from '../support/command-line'
import { button, count, focused, found, heading, link, notice, textbox, titles } from '../support/console'
import { createFilledDatabase, type TestDatabase } from '../support/database'
import { type Program, quietSettings, startProgram } from '../support/program'
import { PASSWORD } from '../support/server'
import { startSmtp } from '../support/smtp'
import { until } from '../support/until'

// The executable as it is shipped, behind a proxy that serves it under a path of its own, with a mail server.

setDefaultTimeout(BROWSER_TIMEOUT_MS)

const NEW_PASSWORD = 'another horse battery'
const MAILS_PER_MAILBOX = 2

let database: TestDatabase
let program: Program
let smtp: Awaited<ReturnType<typeof startSmtp>>
let proxy: ReturnType<typeof startProxy>
let publicUrl: URL
let browser: Browser
beforeAll(async () => {
  if (!hasBrowser) return
  database = await createFilledDatabase()
  smtp = await startSmtp()
  proxy = startProxy(() => program.url)
  publicUrl = new URL('/movies/redlight/', proxy.server.url)
  const environment = {
    ...quietSettings,
    ...databaseVariables(database.config),
    PUBLIC_URL: publicUrl.href,
    SMTP_HOST: '127.0.0.1',
    SMTP_PORT: String(smtp.port),
    LIMITER_ENABLED: 'true',
    LIMITER_RPS: '0',
    LIMITER_MAILS_PER_MAILBOX: String(MAILS_PER_MAILBOX),
  }
  program = await startProgram(environment)
  browser = await launchBrowser()
})
afterAll(async () => {
  await browser?.close()
  await program?.stop()
  await proxy?.server.stop(true)
  await smtp?.stop()
  await database?.drop()
})

/** Keeps what a proxy's log would have. */
function startProxy(target: () => URL) {
  const seen: string[] = []
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch(request) {
      const { pathname, search } = new URL(request.url)
      seen.push(`${request.method} ${request.url} ${JSON.stringify([...request.headers])}`)
      if (!pathname.startsWith('/movies/redlight/')) return new Response('not here', { status: 404 })
      const { method, headers, body } = request
      const url = new URL(pathname.slice('/movies/redlight'.length) + search, target())
      return fetch(url, { method, headers, body, redirect: 'manual', decompress: false })
    },
  })
  return { server, seen }
}

async function post(path: string, body: object) {
  const headers = { 'Content-Type': 'application/json' }
  return fetch(new URL(path, publicUrl), { method: 'POST', headers, body: JSON.stringify(body) })
}
async function register(email: string) {
  const answer = await post('v1/users', { name: 'Alice', email, password: PASSWORD })
  expect(answer.status).toBe(201)
}
const signInByApi = (email: string, password: string) => post('v1/tokens/authentication', { email, password })
async function isActivated(email: string) {
  const { authentication_token }: { authentication_token: { token: string } } = JSON.parse(
    await (await signInByApi(email, PASSWORD)).text(),
  )
  const headers = { Authorization: `Bearer ${authentication_token.token}` }
  return (await fetch(new URL('v1/users/me', publicUrl), { headers })).status === 200
}

/** The link in the newest of so many mails to an address. */
async function mailedLink(email: string, mails = 1) {
  const mail = await until(() => {
    const received = smtp.received.filter(({ to }) => to === email)
    return received.length >= mails && received.at(-1)
  })
  const address = /^http\S+$/m.exec(mail.text)?.[0] ?? ''
  expect(mail.html).toContain(`<a class="button" href="${address}">`)
  return address
}

async function open(address: string) {
  const opened = await newPage(browser, publicUrl)
  await opened.page.goto(new URL(address, publicUrl).href)
  return opened
}

/** Presses Tab until this has the focus. */
async function tabTo(page: Page, name: string) {
  for (let presses = 0; presses < 20; presses++) {
    if ((await focused(page)).trim() === name) return
    await page.keyboard.press('Tab')
  }
  throw new Error(`the keyboard does not reach ${name}`)
}
async function fillIn(page: Page, label: string, text: string) {
  await tabTo(page, label)
  await page.keyboard.press('Control+A')
  await page.keyboard.type(text)
}
async function press(page: Page, name: string) {
  await tabTo(page, name)
  await page.keyboard.press('Enter')
}

describe.skipIf(!hasBrowser)('a newcomer', () => {
  test('registers, opens the mail, activates, signs in, searches, keeps a favourite', async () => {
    const email = 'nell@example.com'
    const { page, problems } = await open('')
    await heading(page, 'Sign in')
    await link(page, 'Create an account').click()
    await heading(page, 'Create an account')
    await textbox(page, 'Name').fill('Nell')
    await textbox(page, 'Email').fill(email)
    await textbox(page, 'Password').fill('short')
    await button(page, 'Create account').click()
    await page.getByRole('alert').getByText('Please correct the marked fields.').waitFor()
    expect(await focused(page)).toBe('Password')
    await textbox(page, 'Password').fill(PASSWORD)
    await button(page, 'Create account').click()
    await heading(page, 'Check your mail')
    const first = await mailedLink(email)
    await button(page, 'Send it again').click()
    await page.getByText('Sent again.').waitFor()
    const second = await mailedLink(email, 2)
    expect(second).not.toBe(first)

    await page.goto(first)
    await heading(page, 'Activate your account')
    expect(page.url()).toBe(`${publicUrl.href}activate`)
    expect(await isActivated(email)).toBe(false)
    await button(page, 'Activate my account').click()
    await page.getByRole('status').getByText('Your account is active.', { exact: true }).waitFor()
    await link(page, 'Sign in').click()
    await heading(page, 'Sign in')
    expect(await focused(page)).toBe('Sign in')
    await textbox(page, 'Email or username').fill(email)
    await textbox(page, 'Password').fill(PASSWORD)
    await button(page, 'Sign in').click()
    await heading(page, 'Movies')
    await count(page, '120 movies')
    await page.getByRole('searchbox', { name: 'Search movies' }).pressSequentially('moan')
    await found(page, 'moan')
    await button(page, 'Favourite Moana').click()
    await notice(page, '“Moana” is one of your favourites now.')
    await page.reload()
    await found(page, 'moan')
    expect(await button(page, 'Favourite Moana').getAttribute('aria-pressed')).toBe('true')
    await link(page, 'Favourites').click()
    await heading(page, 'Favourites')
    await count(page, '1 movie')
    expect(await titles(page, 'Favourites')).toEqual(['Moana'])
    expect(new URL(page.url()).pathname).toBe('/movies/redlight/favourites')

    await page.goto(second)
    await button(page, 'Activate my account').click()
    await page.getByText('This link no longer works').waitFor()
    await textbox(page, 'Email').fill(email)
    await button(page, 'Send me a new mail').click()
    await page.getByText('user has already been activated').waitFor()
    expect(problems).toEqual([])
  })

  test('activates with the keyboard alone, once, and asks for another mail until there were too many', async () => {
    const email = 'late@example.com'
    await register(email)
    const address = await mailedLink(email)
    const { page, problems } = await open(address)
    await heading(page, 'Activate your account')
    await page.goto(new URL('activate', publicUrl).href)
    await textbox(page, 'Token from the mail').waitFor()
    await fillIn(page, 'Token from the mail', 'NOT-A-TOKEN')
    await press(page, 'Activate my account')
    await page.getByText('This token is wrong, used or expired.').waitFor()
    expect(await focused(page)).toBe('Token from the mail')
    await fillIn(page, 'Email', 'nobody@example.com')
    await press(page, 'Send me a new mail')
    await page.getByText('no matching email address found').waitFor()
    await fillIn(page, 'Email', email)
    await press(page, 'Send me a new mail')
    await page.getByText(`A mail with a new link is on its way to ${email}.`).waitFor()
    await press(page, 'Send it again')
    await page.getByText('Sent again.').waitFor()
    await press(page, 'Send it again')
    await page.getByText(/^Too many requests. Try again in \d+ minutes.$/).waitFor()

    // The page is open already.
    await page.goto(await mailedLink(email, 1 + MAILS_PER_MAILBOX))
    await page.getByText('Press the button to activate your account.').waitFor()
    await press(page, 'Activate my account')
    await page.getByText('Your account is active.', { exact: true }).waitFor()
    // In the tab that shows that it is active.
    await page.goto(address)
    await button(page, 'Activate my account').waitFor()
    await press(page, 'Activate my account')
    await page.getByText('This link no longer works').waitFor()
    expect(problems).toEqual([])
  })

  test('chooses a new password, and the old one is refused', async () => {
    const email = 'forgetful@example.com'
    await register(email)
    const { page, problems } = await open('forgot-password')
    await textbox(page, 'Email').fill(email)
    await button(page, 'Send the link').click()
    await page.getByText('user account must be activated').waitFor()
    await link(page, 'Activate your account').click()
    await heading(page, 'Activate your account')
    await page.goto(await mailedLink(email))
    await button(page, 'Activate my account').click()
    await link(page, 'Sign in').click()
    await link(page, 'Forgot your password?').click()
    await heading(page, 'Forgot your password?')
    await textbox(page, 'Email').fill(email)
    await button(page, 'Send the link').click()
    await heading(page, 'Check your mail')
    const address = await mailedLink(email, 2)
    expect(address).toStartWith(`${publicUrl.href}reset-password#token=`)
    await page.goto(address)
    await heading(page, 'Choose a new password')
    for (const [password, problem] of [
      ['short', 'must be at least 8 characters long'],
      ['password123', 'is one of the commonest passwords, please choose another'],
      [email, 'must not be the email'],
    ] as const) {
      await textbox(page, 'New password').fill(password)
      await page.keyboard.press('Enter')
      await page.getByText(problem, { exact: true }).waitFor()
      expect(await textbox(page, 'New password').getAttribute('aria-invalid')).toBe('true')
      expect(await focused(page)).toBe('New password')
    }
    await textbox(page, 'New password').fill(NEW_PASSWORD)
    await button(page, 'Set the new password').click()
    await page.getByText('Your password is changed. Sign in with the new one.').waitFor()
    await page.goto(address)
    await textbox(page, 'New password').fill('a third horse battery')
    await button(page, 'Set the new password').click()
    await page.getByText('This link no longer works').waitFor()

    await page.goto(new URL('sign-in', publicUrl).href)
    for (const [name, password] of [
      [email, PASSWORD],
      ['nobody', 'x'],
      ['not a name at all', ''],
    ] as const) {
      await textbox(page, 'Email or username').fill(name)
      await textbox(page, 'Password').fill(password)
      await button(page, 'Sign in').click()
      await page.getByRole('alert').getByText('Wrong email, username or password.', { exact: true }).waitFor()
    }
    await textbox(page, 'Email or username').fill(email)
    await textbox(page, 'Password').fill(NEW_PASSWORD)
    await button(page, 'Sign in').click()
    await heading(page, 'Movies')
    expect(problems).toEqual([])
  })

  test('who is not activated yet is told so, and gets the mail again', async () => {
    const email = 'hasty@example.com'
    await register(email)
    await mailedLink(email)
    const { page, problems } = await open('sign-in')
    await textbox(page, 'Email or username').fill(email)
    await textbox(page, 'Password').fill(PASSWORD)
    await button(page, 'Sign in').click()
    const told = 'Activate your account first: open the link in the mail that we sent you.'
    await page.getByRole('alert').getByText(told).waitFor()
    await button(page, 'Send it again').click()
    await mailedLink(email, 2)
    expect(problems).toEqual([])
  })
})

describe.skipIf(!hasBrowser)('the session', () => {
  test('is shared with the documentation page, both ways', async () => {
    const { page, problems } = await open('docs')
    await page.locator('.opblock').first().waitFor()
    await page.getByLabel('Email or username').fill('nell@example.com')
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
    await button(page, 'Sign in').click()
    await button(page, 'Sign out').waitFor()
    await page.goto(publicUrl.href)
    await count(page, '120 movies')
    const docs = await page.context().newPage()
    await docs.goto(new URL('docs', publicUrl).href)
    await docs.getByText('nell@example.com').waitFor()
    await page.bringToFront()
    await button(page, 'Sign out').click()
    await heading(page, 'Sign in')
    await button(docs, 'Sign in').waitFor()
    expect(problems).toEqual([])
  })

  test('and no token is in an address or a header that a server sees, nor in the log', () => {
    const tokens = smtp.received.map(({ token }) => token).filter(Boolean)
    expect(tokens.length).toBeGreaterThan(4)
    const seen = [...proxy.seen, ...program.lines].join('\n')
    expect(seen).toContain('/movies/redlight/activate')
    for (const token of tokens) expect(seen).not.toContain(token)
    expect(program.lines.join('\n')).not.toMatch(/eyJ[\w-]+\./)
  })
})
