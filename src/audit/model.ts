import { type Static, Type } from '@sinclair/typebox'
import { parameter, parseId, parseTime, timestampJson } from '../rules/fields'
import { pageParameters, parsePage, wordParameter } from '../rules/lists'
import { object } from '../rules/objects'

/** Everything that is recorded (contract section 13). */
export const actions = [
  'permission.granted',
  'permission.revoked',
  'user.activated',
  'user.removed',
  'account.removed',
  'password.changed',
  'password.reset',
  'email.changed',
  'sessions.ended',
  'key.created',
  'key.revoked',
  'movie.deleted',
  'movie.reassigned',
  'import',
  'restore',
] as const
export type Action = (typeof actions)[number]

const recordKinds = ['movie', 'user', 'key'] as const
export const subjectKinds = [...recordKinds, 'catalogue'] as const

type Actor = { readonly id: number; readonly name: string }
export type Subject =
  | { readonly kind: (typeof recordKinds)[number]; readonly id: number; readonly name: string }
  | typeof CATALOGUE
export const CATALOGUE = { kind: 'catalogue', id: null, name: 'catalogue' } as const

/** Who does something: a user by a request or, without an actor, somebody at the command line. */
export type Author = {
  readonly actor: Actor | null
  readonly requestId?: string
  /** The system user at the command line. */
  readonly by?: string
}
export type Detail = Readonly<Record<string, unknown>>
export type NewEvent = { readonly action: Action; readonly subject: Subject; readonly detail?: Detail }

export type AuditEvent = {
  readonly id: number
  readonly at: Date
  readonly actorId: number | null
  readonly actorName: string | null
  readonly action: string
  readonly subjectKind: string
  readonly subjectId: number | null
  readonly subjectName: string
  readonly detail: unknown
  readonly requestId: string | null
}

export const eventJson = (event: AuditEvent) => ({
  id: event.id,
  at: timestampJson(event.at),
  actor: event.actorId === null ? null : { id: event.actorId, name: event.actorName },
  action: event.action,
  subject: { kind: event.subjectKind, id: event.subjectId, name: event.subjectName },
  detail: event.detail,
  request_id: event.requestId,
})

const userId = parameter({ type: 'integer', minimum: 1 }, (value) =>
  parseId(String(value)) === undefined ? 'must be the id of a user' : undefined,
)
const subject = parameter({ type: 'string' }, (value) =>
  parseSubject(String(value)) === undefined
    ? 'must be a kind and an id like movie:12, user:7 or key:3, or catalogue'
    : undefined,
)
const time = parameter({ type: 'string' }, (value) =>
  parseTime(String(value)) === undefined
    ? 'must be a time like 2026-01-02T03:04:05Z, or a date like 2026-01-02'
    : undefined,
)

export const AuditQuery = object({
  actor: Type.Optional(userId),
  action: Type.Optional(wordParameter(actions)),
  subject: Type.Optional(subject),
  from: Type.Optional(time),
  to: Type.Optional(time),
  ...pageParameters,
})

function parseSubject(text: string): { kind: string; id: number | null } | undefined {
  if (text === CATALOGUE.kind) return CATALOGUE
  const [kind = '', id = '', ...more] = text.split(':')
  const number = parseId(id)
  const isKnown = recordKinds.some((known) => known === kind)
  return isKnown && number !== undefined && more.length === 0 ? { kind, id: number } : undefined
}

export type EventList = ReturnType<typeof parseAudit>

export const parseAudit = ({ actor, action, subject, from, to, ...page }: Static<typeof AuditQuery>) => ({
  actorId: actor === undefined ? undefined : parseId(actor),
  action,
  subject: subject === undefined ? undefined : parseSubject(subject),
  from: from === undefined ? undefined : parseTime(from)?.start,
  /** Exclusive: the end of the second or day that `to` includes. */
  before: to === undefined ? undefined : parseTime(to)?.end,
  ...parsePage(page),
})
