import { textOrNull } from './columns.ts'
import type { Connection, Row, SqlValue } from './database.ts'
import type { Call } from './entry.ts'
import { type NamePart, nameId, nameParts } from './names.ts'

/** How who pays lies in the columns of a database. */

/** The id of who pays. */
export const ownerId = (
  connection: Connection,
  owner: Pick<Call, 'organization' | 'team' | 'project' | 'environment' | 'key'>,
): SqlValue =>
  nameId(connection, 'owner', [owner.organization, owner.team, owner.project, owner.environment, owner.key])

/** Who pays, of a row with its owner's name. */
export const readOwner = (
  row: Row,
): Pick<Call, 'key' | 'organization' | 'team' | 'project' | 'environment' | 'endUser' | 'tags'> => {
  const [organization = null, team = null, project = null, environment = null, key = null] = nameParts(
    row['owner_name'],
  ).map(partText)
  const endUser = textOrNull(row['end_user'])
  return { key, organization, team, project, environment, endUser, tags: readJson(row['tags']) }
}

/** Names and values as a column; null when there are none. */
export const jsonColumn = (values: Readonly<Record<string, string>>): SqlValue =>
  Object.keys(values).length === 0 ? null : JSON.stringify(values)

/** Reads what `jsonColumn` wrote. */
export const readJson = (column: SqlValue | undefined): Readonly<Record<string, string>> =>
  JSON.parse(textOrNull(column) ?? '{}')

/** Reads a part of a name that is text or nothing. */
export const partText = (part: NamePart): string | null => (part === null ? null : String(part))
