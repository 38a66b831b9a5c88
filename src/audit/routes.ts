import { type AnyElysia, Elysia } from 'elysia'
import type { Db } from '../db/client'
import type { Guards } from '../http/guards'
import { listPage } from '../http/list-answer'
import * as docs from './docs'
import { AuditQuery, eventJson, parseAudit } from './model'
import { listEvents } from './store'

export function auditRoutes(db: Db, guards: Guards): AnyElysia {
  return new Elysia({ name: 'audit', prefix: '/v1/audit', tags: ['operators'] }).use(guards).get(
    '',
    async ({ query, request }) => {
      const list = parseAudit(query)
      const { rows, total } = await listEvents(db, list)
      const events = rows.map((event) => JSON.stringify(eventJson(event)))
      return listPage(request, { name: 'events', rows: events, total }, list)
    },
    { access: 'admin', query: AuditQuery, detail: docs.listEvents },
  )
}
