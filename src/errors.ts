/** The catalogue of failures: all that the API can refuse, with its status and its words. */
export const failures = {
  emptyBody: { status: 400, message: 'body must not be empty' },
  notAnObject: { status: 400, message: 'body must be a JSON object' },
  notUtf8: { status: 400, message: 'body must be encoded in UTF-8' },
  nestedTooDeeply: { status: 400, message: 'body must not be nested deeper than 32 levels' },
  badlyFormedJson: { status: 400, message: 'body contains badly-formed JSON' },
  unreadableBody: { status: 400, message: 'body could not be read to its end' },
  authenticationRequired: { status: 401, message: 'you must be authenticated to access this resource' },
  invalidAuthenticationToken: { status: 401, message: 'invalid or missing authentication token' },
  invalidCredentials: { status: 401, message: 'invalid authentication credentials' },
  notActivated: { status: 403, message: 'your user account must be activated to access this resource' },
  notPermitted: {
    status: 403,
    message: "your user account doesn't have the necessary permissions to access this resource",
  },
  notCreator: { status: 403, message: 'only the user who created this movie can change it' },
  notFound: { status: 404, message: 'the requested resource could not be found' },
  methodNotAllowed: { status: 405, message: 'the method is not supported for this resource' },
  editConflict: {
    status: 409,
    message: 'unable to update the record due to an edit conflict, please try again',
  },
  preconditionFailed: {
    status: 412,
    message: 'unable to update the record due to an edit conflict, please try again',
  },
  bodyTooLarge: { status: 413, message: 'body must not be larger than 1048576 bytes' },
  unsupportedMediaType: {
    status: 415,
    message: 'the body must be JSON, sent with the header Content-Type: application/json',
  },
  invalid: { status: 422, message: 'the request breaks a rule' },
  rateLimited: { status: 429, message: 'rate limit exceeded' },
  internal: { status: 500, message: 'the server encountered a problem and could not process your request' },
  databaseUnavailable: { status: 503, message: 'the database is out of reach or too slow, please try again' },
  tooManySignIns: { status: 503, message: 'too many sign-ins are waiting, please try again' },
  shuttingDown: { status: 503, message: 'the server is shutting down, please try again' },
} as const satisfies Record<string, { status: number; message: string }>

export type FailureCode = keyof typeof failures
export type FieldMessages = Readonly<Record<string, string>>

/** A refusal on its way to the client; http/error-responses writes it. */
export class Failure extends Error {
  override readonly name = 'Failure'
  constructor(
    readonly code: FailureCode,
    readonly detail: {
      readonly error?: string | FieldMessages
      readonly headers?: Record<string, string>
      readonly cause?: unknown
    } = {},
  ) {
    super(failures[code].message, { cause: detail.cause })
  }
}

/** 422 with a message for each failing field. */
export const invalid = (fields: FieldMessages) => new Failure('invalid', { error: fields })
