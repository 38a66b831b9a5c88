import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { Browser, Page } from 'playwright-core'
import {
  BROWSER_TIMEOUT_MS,
  hasBrowser,
  type Look,
  launchBrowser,
  looks,
  newPage,
  shoot,
  tooWide,
} from '../support/browser'
import { databaseVariables } from '../support/command-line'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { buildExecutable } from '../support/executable'
import { type Program, quietSettings, startProgram } from '../support/program'
import { PASSWORD } from '../support/server'
import { startSmtp } from '../support/smtp'
import { until } from '../support/until'

if (!hasBrowser) console.log('the pages behind the mails are not tried in a browser: there is no Chromium')

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
  database = await createTestDatabase()
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
  program = await startProgram(environment, { executable: await buildExecutable() })
  browser = await launchBrowser()
}, BROWSER_TIMEOUT_MS)
afterAll(async () => {
  await browser?.close()
  await program?.stop()
  await proxy?.server.stop(true)
  await smtp?.stop()
  await database?.drop()
})

/** A proxy that serves the program under a path prefix, and keeps a log. */
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

const signIn = (email: string, password: string) => post('v1/tokens/authentication', { email, password })

async function isActivated(email: string) {
  const { authentication_token }: { authentication_token: { token: string } } = JSON.parse(
    await (await signIn(email, PASSWORD)).text(),
  )
  const headers = { Authorization: `Bearer ${authentication_token.token}` }
  return (await fetch(new URL('v1/users/me', publicUrl), { headers })).status === 200
}

/** Waits for this many mails to an address, and returns them. */
async function mailsTo(email: string, count = 1) {
  return until(() => {
    const mails = smtp.received.filter(({ to }) => to === email)
    return mails.length >= count && mails
  })
}

async function linkTo(email: string, count = 1) {
  const mail = (await mailsTo(email, count)).at(-1)
  const link = /^http\S+$/m.exec(mail?.text ?? '')?.[0] ?? ''
  expect(mail?.html).toContain(`<a class="button" href="${link}">`)
  return link
}

async function open(address: string, look?: Look) {
  const opened = await newPage(browser, publicUrl, look)
  await opened.page.goto(new URL(address, publicUrl).href)
  return opened
}

const heading = (page: Page, name: string) => page.getByRole('heading', { level: 1, name }).waitFor()
/** The name of the focused element, as a screen reader would say it. */
const focused = (page: Page) =>
  page.evaluate<string>(
    '(({ labels, textContent }) => (labels?.[0] ?? {}).textContent ?? textContent)(document.activeElement)',
  )

/** Presses Tab until this element has the focus. */
async function tabTo(page: Page, name: string) {
  for (let presses = 0; presses < 12; presses++) {
    if ((await focused(page)) === name) return
    await page.keyboard.press('Tab')
  }
  throw new Error(`the keyboard does not reach ${name}`)
}

async function fillIn(page: Page, label: string, text: string) {
  await tabTo(page, label)
  await page.keyboard.press('Control+A')
  await page.keyboard.type(text)
}

async function press(page: Page, button: string) {
  await tabTo(page, button)
  await page.keyboard.press('Enter')
}

describe.skipIf(!hasBrowser)('in a browser, without a mouse', () => {
  test(
    'an account is activated by its link once, and not by a program that opens the link',
    async () => {
      const email = 'alice@example.com'
      await register(email)
      const link = await linkTo(email)
      expect(link).toStartWith(`${publicUrl.href}activate#token=`)
      const { page, problems } = await open(link)
      await heading(page, 'Activate your account')
      await page.waitForURL(`${publicUrl.href}activate`)
      await page.waitForLoadState('networkidle')
      expect(await isActivated(email)).toBe(false)

      await press(page, 'Activate my account')
      await heading(page, 'Your account is active')
      expect(await focused(page)).toBe('Your account is active')
      expect(await page.getByRole('status').textContent()).toBe('Welcome, Alice!')
      expect(await isActivated(email)).toBe(true)

      await page.goto(link)
      await press(page, 'Activate my account')
      await heading(page, 'This link no longer works')
      await fillIn(page, 'Email address of your account', email)
      await press(page, 'Send me a new mail')
      await heading(page, 'Your account is active already')
      await press(page, 'Sign in on the documentation page')
      await page.waitForURL(`${publicUrl.href}docs`)
      expect(problems).toEqual([])
    },
    BROWSER_TIMEOUT_MS,
  )

  test(
    'the page sends a new activation mail, until there are too many',
    async () => {
      const email = 'late@example.com'
      await register(email)
      await mailsTo(email)
      const { page, problems } = await open('activate')
      await heading(page, 'Activate your account')
      await fillIn(page, 'Token from the mail', 'NOT-A-TOKEN')
      await press(page, 'Activate my account')
      await page.getByText('This token is wrong, used or expired.').waitFor()
      expect(await focused(page)).toBe('Token from the mail')
      await fillIn(page, 'Email address of your account', 'nobody@example.com')
      await press(page, 'Send me a new mail')
      await page.getByText('No account has this address.').waitFor()
      for (let mails = 1; mails <= MAILS_PER_MAILBOX; mails++) {
        await page.goto(new URL('activate', publicUrl).href)
        await fillIn(page, 'Email address of your account', email)
        await press(page, 'Send me a new mail')
        await heading(page, 'Look into your mailbox')
      }
      await page.reload()
      await fillIn(page, 'Email address of your account', email)
      await press(page, 'Send me a new mail')
      await page.getByRole('alert').getByText('Too many tries. Wait 30 minutes, then try again.').waitFor()

      await page.goto(await linkTo(email, 1 + MAILS_PER_MAILBOX))
      await press(page, 'Activate my account')
      await heading(page, 'Your account is active')
      expect(problems).toEqual([])
    },
    BROWSER_TIMEOUT_MS,
  )

  test(
    'a forgotten password is replaced, and the new one signs in',
    async () => {
      const email = 'forgetful@example.com'
      await register(email)
      const { page, problems } = await open('reset-password')
      const ask = async () => {
        await fillIn(page, 'Email address of your account', email)
        await press(page, 'Send me a new mail')
      }
      await ask()
      await heading(page, 'Activate your account first')
      await press(page, 'Get the mail that activates it')
      await heading(page, 'Activate your account')
      await page.goto(await linkTo(email))
      await press(page, 'Activate my account')
      await heading(page, 'Your account is active')

      await page.goto(new URL('reset-password', publicUrl).href)
      await ask()
      await heading(page, 'Look into your mailbox')
      const link = await linkTo(email, 2)
      expect(link).toStartWith(`${publicUrl.href}reset-password#token=`)
      await page.goto(link)
      await page.waitForURL(`${publicUrl.href}reset-password`)
      for (const [password, problem] of [
        ['short', 'The password must be at least 8 characters long.'],
        ['password123', 'The password is one of the commonest passwords, please choose another.'],
        [email, 'The password must not be the email.'],
      ] as const) {
        await fillIn(page, 'New password', password)
        await page.keyboard.press('Enter')
        await page.getByText(problem, { exact: true }).waitFor()
        expect(await focused(page)).toBe('New password')
        expect(await page.getByLabel('New password').getAttribute('aria-invalid')).toBe('true')
      }
      await tabTo(page, 'Show the password')
      await page.keyboard.press('Space')
      expect(await page.getByLabel('New password').getAttribute('type')).toBe('text')
      await page.keyboard.press('Shift+Tab')
      await fillIn(page, 'New password', NEW_PASSWORD)
      await press(page, 'Set the new password')
      await heading(page, 'Your new password is set')
      expect((await signIn(email, PASSWORD)).status).toBe(401)

      await press(page, 'Sign in on the documentation page')
      await page.locator('.opblock').first().waitFor()
      await page.getByLabel('Email or username').fill(email)
      await page.getByLabel('Password', { exact: true }).fill(NEW_PASSWORD)
      await page.getByRole('button', { name: 'Sign in', exact: true }).click()
      await page.getByRole('button', { name: 'Sign out', exact: true }).waitFor()

      await page.goto(link)
      await fillIn(page, 'New password', 'a third horse battery')
      await press(page, 'Set the new password')
      await heading(page, 'This link no longer works')
      expect(problems).toEqual([])
    },
    BROWSER_TIMEOUT_MS,
  )

  test(
    'a service that does not respond, or not with JSON, looks different from a used link',
    async () => {
      const { page } = await open('activate#token=AAAAAAAAAAAAAAAAAAAAAAAAAA')
      await heading(page, 'Activate your account')
      const alert = page.getByRole('alert')
      await page.context().setOffline(true)
      await press(page, 'Activate my account')
      await alert.getByText('The service did not answer. Check your connection, then try again.').waitFor()
      expect(await focused(page)).toBe('Activate my account')
      await page.context().setOffline(false)
      await page.route('**/v1/users/activated', (route) => route.fulfill({ status: 502, body: '<html>' }))
      await press(page, 'Activate my account')
      await alert.getByText('The service can’t do this just now. Try again in a moment.').waitFor()
      await page.unroute('**/v1/users/activated')
      await press(page, 'Activate my account')
      await heading(page, 'This link no longer works')
    },
    BROWSER_TIMEOUT_MS,
  )

  test('no token is in a URL or a header that a server sees', () => {
    const tokens = smtp.received.map(({ token }) => token)
    expect(tokens.length).toBeGreaterThan(4)
    const seen = [...proxy.seen, ...program.lines].join('\n')
    expect(seen).toContain('/movies/redlight/activate')
    for (const token of tokens) expect(seen).not.toContain(token)
  })
})

describe.skipIf(!hasBrowser)('in a browser, the pages and mails', () => {
  test.each(looks)(
    'fit the screen and its colour scheme: $name',
    async (look) => {
      const email = `${look.name}@example.com`
      await register(email)
      const [mail] = await mailsTo(email)
      const { page, problems } = await open(await linkTo(email), look)
      const show = async (name: string) => {
        expect([name, await tooWide(page)]).toEqual([name, 0])
        await shoot(page, `${name}-${look.name}`)
      }
      await show('activate')
      await page.getByRole('button').click()
      await heading(page, 'Your account is active')
      await show('activated')
      await page.goto(new URL('activate', publicUrl).href)
      await page.getByRole('button').first().click()
      await page.getByText('This token is wrong').waitFor()
      await show('activate-without-link')
      await page.goto(new URL('reset-password#token=AAAAAAAAAAAAAAAAAAAAAAAAAA', publicUrl).href)
      await page.getByLabel('New password').fill('short')
      await page.getByRole('button').first().click()
      await page.getByText('must be at least 8').waitFor()
      await show('reset')
      await page.getByLabel('New password').fill(NEW_PASSWORD)
      await page.getByRole('button').first().click()
      await heading(page, 'This link no longer works')
      await show('reset-used')
      // Mail programs don't apply our content security policy.
      await page.goto('about:blank')
      await page.setContent(mail?.html ?? '')
      await show('mail')
      expect(problems).toEqual([])
    },
    BROWSER_TIMEOUT_MS,
  )
})
