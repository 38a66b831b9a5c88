import { describe, expect, test } from 'bun:test'
import { allVariables } from '../../src/config/config'
import { configOf, type Environment, POSTGRES, problemsOf, SECRET, SMTP } from '../support/config'

// Text that a shell removes or expands, but docker's --env-file, systemd and Compose pass on: the same for every variable.

const WHITE_SPACE = 'begins or ends with white space, perhaps from a Windows line end: remove it'

/** The problems of one variable when those it needs are set. */
function problemsAbout(name: string, environment: Environment, files: Environment = {}) {
  const around: Environment = {
    ...POSTGRES,
    ...SMTP,
    DATABASE_POOLER: 'transaction',
    DATABASE_DIRECT_URL: POSTGRES.DATABASE_URL,
    DATABASE_REPLICA_URLS: POSTGRES.DATABASE_URL,
    SMTP_USERNAME: 'red',
    SMTP_PASSWORD: 'pass',
  }
  delete around[name]
  return problemsOf({ ...around, ...environment }, files)
}

describe.each(allVariables.map(({ name }) => name))('%s', (name) => {
  test.each(['"', "'"])('in quotes %s is refused', (quote) => {
    for (const value of ['4000', '', 'a b'])
      expect(problemsAbout(name, { [name]: `${quote}${value}${quote}` })).toEqual([
        `${name} is in quotes, which docker's --env-file keeps: write it without, or into ${name}_FILE if they belong to the value`,
      ])
    expect(problemsAbout(name, { [`${name}_FILE`]: `${quote}/run/x${quote}` })).toEqual([
      `${name}_FILE is in quotes, which docker's --env-file keeps: write it without`,
    ])
  })

  test('with white space at an end is refused, from the environment and from a file', () => {
    for (const value of [' 4000', '4000 ', '4000\t', '4000\r', '\n4000', ' ', '4000\u00a0']) {
      expect(problemsAbout(name, { [name]: value })).toEqual([`${name} ${WHITE_SPACE}`])
      expect(problemsAbout(name, { [`${name}_FILE`]: '/f' }, { '/f': value })).toEqual([
        `${name} (from ${name}_FILE) ${WHITE_SPACE}`,
      ])
    }
    expect(problemsAbout(name, { [`${name}_FILE`]: '/f ' })).toEqual([`${name}_FILE ${WHITE_SPACE}`])
  })

  test('from a file under ~ is refused', () => {
    for (const path of ['~/f', '~', '~root/f'])
      expect(problemsAbout(name, { [`${name}_FILE`]: path }, { [path]: 'x' })).toEqual([
        `${name}_FILE begins with ~, which only a shell expands: write the full path`,
      ])
  })
})

test('a folder under ~ is refused', () => {
  for (const DATA_DIR of ['~/x', '~', '~redlight/x'])
    expect(problemsOf({ DATA_DIR })).toEqual([
      `DATA_DIR begins with ~, which only a shell expands: write the full path, not "${DATA_DIR}"`,
    ])
  expect(configOf({ DATA_DIR: './~x' }).database).toMatchObject({ dataDir: './~x' })
})

test('a byte order mark at the start of a file is dropped', () => {
  const files = {
    '/port': '\uFEFF4000\r\n',
    '/secret': `\uFEFF${SECRET}\n`,
    '/url': `\uFEFF${POSTGRES.DATABASE_URL}`,
  }
  const environment = { PORT_FILE: '/port', JWT_SECRET_FILE: '/secret', DATABASE_URL_FILE: '/url' }
  expect(configOf(environment, files)).toEqual(configOf({ PORT: '4000', ...POSTGRES }))
  expect(problemsOf({ PORT_FILE: '/port' }, { '/port': '\uFEFF\n' })).toEqual([
    'PORT_FILE names an empty file, /port: write the value into it, or unset PORT_FILE',
  ])
})

test('a file keeps quotes around a value, and any source keeps those around a part of it', () => {
  const environment = { ...SMTP, SMTP_USERNAME: 'red', SMTP_PASSWORD_FILE: '/p' }
  expect(configOf(environment, { '/p': '"pass"\n' }).smtp?.password).toBe('"pass"')
  expect(configOf({ ...SMTP, SMTP_SENDER: '"A, B" <a@b.example>' }).smtp?.sender).toBe('"A, B" <a@b.example>')
})

test('a secret in quotes or with a space is not shown', () => {
  const shown = [
    ...problemsOf({ JWT_SECRET: `"${SECRET}"` }),
    ...problemsOf({ JWT_SECRET: `${SECRET} ` }),
    ...problemsOf({ ...POSTGRES, DATABASE_URL: `'${POSTGRES.DATABASE_URL}'` }),
  ]
  expect(shown).toHaveLength(3)
  expect(shown.join()).not.toMatch(/secret-of|hunter/)
})
