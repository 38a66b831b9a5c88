import { type JsonSchema, named, type Operation, objectOf } from '../openapi/operation'

const count: JsonSchema = { type: 'integer', minimum: 0 }
const counts = (...names: string[]) => objectOf(Object.fromEntries(names.map((name) => [name, count])))
const database = objectOf(
  {
    size: count,
    busy: count,
    waiting: count,
    writable: { type: 'boolean', description: 'Whether the database accepts writes.' },
    replicas: {
      ...objectOf({
        reads: counts('replicas', 'primary'),
        servers: {
          type: 'array',
          items: objectOf({
            name: { type: 'string' },
            serves: { type: 'boolean' },
            lag_seconds: { type: ['number', 'null'], minimum: 0 },
          }),
        },
      }),
      description: 'With DATABASE_REPLICA_URLS.',
    },
  },
  ['replicas'],
)

const GATHERED =
  'Collected at most twice a second; never waits for an unreachable database. With `METRICS_NETWORKS` set, other clients get 404.'

export const checkHealth: Operation = {
  operationId: 'checkHealth',
  summary: 'Check the health of the service',
  description:
    'For probes: 503 while no read can be answered and while the service is stopping; with `for=writes` also while the database accepts no writes.',
  isProbe: true,
  query: {
    for: {
      description: 'What the caller wants to use the service for.',
      enum: ['reads', 'writes'],
      default: 'reads',
    },
  },
  answers: {
    200: {
      description: 'The service can answer.',
      schema: objectOf({
        status: { type: 'string', const: 'available' },
        system_info: objectOf({ environment: { type: 'string' }, version: { type: 'string' } }),
      }),
      example: { status: 'available', system_info: { environment: 'production', version: '1.0.0' } },
    },
  },
  refusals: ['databaseUnavailable', 'databaseReadOnly', 'shuttingDown'],
  problems: { for: 'must be reads or writes' },
}

export const showVariables: Operation = {
  operationId: 'showVariables',
  summary: 'Show metrics as JSON',
  description: `A flat object like Go’s expvar. ${GATHERED}`,
  isProbe: true,
  refusals: ['notFound'],
  answers: {
    200: {
      description: 'The figures.',
      schema: objectOf(
        {
          version: { type: 'string' },
          uptime_seconds: { type: 'number', minimum: 0 },
          timestamp: { type: 'integer', description: 'In seconds since 1970.' },
          memstats: counts('rss', 'heapTotal', 'heapUsed', 'external', 'arrayBuffers'),
          database,
          total_requests_received: count,
          total_responses_sent: count,
          total_processing_time_μs: count,
          total_responses_sent_by_status: {
            type: 'object',
            patternProperties: { '^[1-5][0-9]{2}$': count },
            additionalProperties: false,
          },
          in_flight_requests: count,
          event_loop_lag_ms: { type: 'number', minimum: 0 },
          mail_queue: objectOf({
            waiting: { ...count, type: ['integer', 'null'] },
            failed: { ...count, type: ['integer', 'null'] },
          }),
          limits_shared: {
            type: 'boolean',
            description: 'Whether all instances share their limits (with REDIS_URL).',
          },
        },
        ['limits_shared'],
      ),
      example: {
        version: '1.0.0',
        uptime_seconds: 86400.125,
        timestamp: 1767323045,
        memstats: {
          rss: 82472960,
          heapTotal: 12845056,
          heapUsed: 11034561,
          external: 2148211,
          arrayBuffers: 16384,
        },
        database: { size: 10, busy: 1, waiting: 0, writable: true },
        total_requests_received: 12042,
        total_responses_sent: 12041,
        total_processing_time_μs: 9814031,
        total_responses_sent_by_status: { 200: 11890, 401: 112, 422: 39 },
        in_flight_requests: 1,
        event_loop_lag_ms: 0.41,
        mail_queue: { waiting: 0, failed: 0 },
      },
    },
  },
}

export const showMetrics: Operation = {
  operationId: 'showMetrics',
  summary: 'Show metrics for Prometheus',
  description: `The same metrics in the Prometheus text format, with a histogram of response times by route, method and status class. ${GATHERED}`,
  isProbe: true,
  refusals: ['notFound'],
  answers: {
    200: {
      description: 'The figures.',
      mediaType: 'text/plain',
      schema: { type: 'string' },
      example:
        '# HELP redlight_uptime_seconds Time since the start.\n# TYPE redlight_uptime_seconds gauge\nredlight_uptime_seconds 86400.125\n',
    },
  },
}

const nullable = (type: string) => ({ type: [type, 'null'], minimum: 0 })
const pointSchema = named(
  'FiguresPoint',
  objectOf({
    at: { type: 'string', format: 'date-time', description: 'When the ten seconds ended.' },
    requests: counts('2xx', '3xx', '4xx', '5xx'),
    p50_ms: { ...nullable('number'), description: 'Null without a request.' },
    p99_ms: nullable('number'),
    event_loop_lag_ms: { type: 'number', minimum: 0 },
    memory_mb: { type: 'number', minimum: 0 },
    database: counts('busy', 'waiting'),
    mails_waiting: { ...nullable('integer'), description: 'Null while the database does not say.' },
    limited: { ...count, description: 'Requests that a limit refused.' },
  }),
)

export const showFigures: Operation = {
  operationId: 'showFigures',
  summary: 'Show the figures of the last hour',
  description:
    'A point for every ten seconds, oldest first, kept in the memory of the instance that answers, which `instance` names.',
  query: { since: { description: 'Only points after this time.', format: 'date-time' } },
  answers: {
    200: {
      description: 'The figures.',
      schema: objectOf({
        every_seconds: { type: 'integer', const: 10 },
        instance: { type: 'string' },
        points: { type: 'array', items: pointSchema, maxItems: 360 },
      }),
      example: {
        every_seconds: 10,
        instance: 'web1:4000',
        points: [
          {
            at: '2026-01-02T03:04:10Z',
            requests: { '2xx': 118, '3xx': 2, '4xx': 1, '5xx': 0 },
            p50_ms: 1.12,
            p99_ms: 9.81,
            event_loop_lag_ms: 0.4,
            memory_mb: 142.6,
            database: { busy: 1, waiting: 0 },
            mails_waiting: 0,
            limited: 0,
          },
        ],
      },
    },
  },
  problems: { since: 'must be a time like 2026-01-02T03:04:05Z' },
}
