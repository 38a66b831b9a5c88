import type { Command } from 'commander'
import { type Action, type AuditEvent, AuditQuery, actions, eventJson, parseAudit } from '../audit/model'
import { listEvents } from '../audit/store'
import { addCommand, type CommandContext, oneOf } from '../cli/command'
import type { Db } from '../db/client'
import { UsageError } from '../errors'
import { parseId } from '../rules/fields'
import { problemsOf } from '../rules/objects'
import { visibleJson } from '../visible'
import { addPageOptions, metadataOf, PAGE_SIZE, type PageOptions, printTotal } from './lists'
import { userNamed } from './named-users'

type AuditOptions = PageOptions & {
  actor?: string
  action?: Action
  subject?: string
  from?: string
  to?: string
}

export function auditCommand(program: Command, context: CommandContext) {
  const command = addCommand(program, 'audit', {
    summary: 'List who did what, newest first',
    details: `Permissions, accounts, passwords, keys, deleted and reassigned movies, imports and
restores. AUDIT_KEEP says for how long they are kept.`,
    examples: [
      'redlight audit',
      'redlight audit --action movie.deleted --from 2026-01-01',
      'redlight audit --subject movie:12 --json',
    ],
  })
    .argument('[list]', 'may be left out', oneOf(['list']))
    .option('--actor <user>', 'only by this user: id, email address or username')
    .option('--action <action>', 'only this, such as user.removed', oneOf(actions))
    .option('--subject <subject>', 'only about this, such as movie:12 or user:7')
    .option('--from <time>', 'not before this time or date')
    .option('--to <time>', 'not after this time or date')
  addPageOptions(command).action((_: string | undefined, options: AuditOptions) => list(options, context))
}

async function list({ actor, json, page, ...filters }: AuditOptions, context: CommandContext) {
  const [problem] = Object.entries(problemsOf(AuditQuery, filters, 'is not known') ?? {})
  if (problem !== undefined) throw new UsageError(`--${problem[0]} ${problem[1]}`)
  const { rows, total } = await context.withDatabase(async ({ db }) =>
    listEvents(db, {
      ...parseAudit(filters),
      actorId: await actorId(db, actor),
      page,
      pageSize: PAGE_SIZE,
    }),
  )
  if (json)
    return context.printText(visibleJson({ events: rows.map(eventJson), metadata: metadataOf(page, total) }))
  if (rows.length > 0) context.table('TIME', 'WHO', 'ACTION', 'ON', 'DETAIL')(rows.map(cellsOf))
  printTotal(context, { page, total, noun: 'event' })
}

/** Users who are gone have an id only. */
async function actorId(db: Db, actor: string | undefined) {
  if (actor === undefined) return undefined
  return parseId(actor) ?? (await userNamed(db, actor)).id
}

function cellsOf(event: AuditEvent) {
  const { at, actor, action, subject, detail } = eventJson(event)
  const { by, ...others } = Object(detail)
  const who = actor === null ? `${by ?? 'someone'} (command line)` : `${actor.name} (${actor.id})`
  const on = subject.id === null ? subject.name : `${subject.kind} ${subject.id} ${subject.name}`
  const details = Object.entries(others).map(([key, value]) => `${key}=${nameIn(value)}`)
  return [at, who, action, on, details.join(' ')]
}

const nameIn = (value: unknown): string =>
  typeof value === 'object' && value !== null && 'name' in value ? String(value.name) : String(value)
