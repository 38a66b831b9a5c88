import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { Browser, Locator, Page } from 'playwright-core'
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
import { createFilledDatabase, type TestDatabase } from '../support/database'
import { type Program, quietSettings, runProgram, signUp, startProgram } from '../support/program'

let database: TestDatabase
let environment: Record<string, string>
let program: Program
let alice: { email: string; password: string }
let browser: Browser
beforeAll(async () => {
  if (!hasBrowser) return
  database = await createFilledDatabase()
  environment = { ...quietSettings, ...databaseVariables(database.config) }
  program = await startProgram(environment)
  alice = await signUp(program, environment)
  browser = await launchBrowser()
}, BROWSER_TIMEOUT_MS)
afterAll(async () => {
  await browser?.close()
  await program?.stop()
  await database?.drop()
})

/** Waits until the page shows its operations. */
async function openDocs(look?: Look) {
  const opened = await newPage(browser, program.url, look)
  await opened.page.goto(new URL('/docs', program.url).href)
  await opened.page.locator('.opblock').first().waitFor()
  return opened
}

/** Without scrolling there and waiting until it stands still, which takes a second each. */
const pressAtOnce = (control: Locator) => control.dispatchEvent('click')

const operation = (page: Page, id: string) => page.locator(`.opblock[id$="-${id}"]`)

async function signIn(page: Page) {
  await page.getByPlaceholder('Email or username').fill(alice.email)
  await page.getByPlaceholder('Password').fill(alice.password)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await page.getByRole('button', { name: 'Sign out', exact: true }).waitFor()
}

/** Opens an operation and sends its example; returns the response that the page shows. */
async function call(page: Page, id: string, press = (control: Locator) => control.click()) {
  const block = operation(page, id)
  await press(block.locator('.opblock-summary-control'))
  await press(block.getByRole('button', { name: 'Execute' }))
  const answer = block.locator('.live-responses-table .response').first()
  await answer.waitFor()
  return {
    status: ((await answer.locator('.response-col_status').textContent()) ?? '').trim().slice(0, 3),
    text: await answer.locator('.response-col_description').textContent(),
  }
}

type Paths = { paths: Record<string, Record<string, { operationId: string; responses: object }>> }

describe.skipIf(!hasBrowser)('in a browser, the documentation page', () => {
  // In the dark on a phone, the colours are those of the dark and the layout is that of the phone.
  test.each(looks.filter(({ name }) => name !== 'phone-dark'))(
    'lets a visitor sign in and list the movies: $name',
    async (look) => {
      const name = `docs-${look.name}`
      const { page, problems } = await openDocs(look)
      await shoot(page, name)
      await signIn(page)
      const answer = await call(page, 'listMovies')
      expect(answer.status).toBe('200')
      expect(answer.text).toContain('Moana')
      await shoot(page, `${name}-answer`)
      await operation(page, 'createMovie').locator('.opblock-summary-control').click()
      await operation(page, 'createMovie').locator('.opblock-section-request-body').scrollIntoViewIfNeeded()
      await shoot(page, `${name}-body`)
      expect(await tooWide(page)).toBe(0)
      expect(problems).toEqual([])
    },
    BROWSER_TIMEOUT_MS,
  )

  test(
    'sends every call, and gets a documented response',
    async () => {
      const { page } = await openDocs()
      await signIn(page)
      const { paths }: Paths = JSON.parse(await (await fetch(new URL('/docs/json', program.url))).text())
      for (const { operationId, responses } of Object.values(paths).flatMap((path) => Object.values(path))) {
        const { status } = await call(page, operationId, pressAtOnce)
        // The page is slow with everything open.
        await pressAtOnce(operation(page, operationId).locator('.opblock-summary-control'))
        expect([operationId, Object.keys(responses).includes(status)]).toEqual([operationId, true])
      }
    },
    BROWSER_TIMEOUT_MS,
  )

  test(
    'asks /omdb with a key',
    async () => {
      const { stdout } = await runProgram(environment, ['keys', 'add', alice.email])
      const { page, problems } = await openDocs()
      const block = operation(page, 'omdb')
      await block.locator('.opblock-summary-control').click()
      await block.locator('tr[data-param-name="apikey"] input').fill(stdout.trim())
      await block.locator('.opblock-summary-control').click()
      const answer = await call(page, 'omdb')
      expect([answer.status, answer.text?.includes('"Title": "Moana"')]).toEqual(['200', true])
      expect(problems).toEqual([])
    },
    BROWSER_TIMEOUT_MS,
  )

  test(
    'leads a new user from one step to the next',
    async () => {
      const { page, problems } = await openDocs()
      await page.getByRole('link', { name: 'Register' }).click()
      const register = operation(page, 'registerUser')
      const newcomer = { name: 'Nell', email: 'nell@example.com', password: 'pa55word-of-nell' }
      await register.locator('textarea').fill(JSON.stringify(newcomer))
      await register.getByRole('button', { name: 'Execute' }).click()
      await register.locator('.live-responses-table .response').first().waitFor()
      expect(await register.locator('.live-responses-table').textContent()).toContain('"activated": false')
      await page.getByRole('link', { name: 'Choose a new one' }).click()
      await page.getByRole('heading', { name: 'Choose a new password' }).waitFor()
      expect(problems).toEqual([])
    },
    BROWSER_TIMEOUT_MS,
  )

  test(
    'says why it could not sign in',
    async () => {
      const { page } = await openDocs()
      await page.getByPlaceholder('Email or username').fill('nobody')
      await page.getByPlaceholder('Password').fill('wrong')
      await page.getByRole('button', { name: 'Sign in', exact: true }).click()
      await page.getByText('invalid authentication credentials', { exact: true }).waitFor()
    },
    BROWSER_TIMEOUT_MS,
  )
})
