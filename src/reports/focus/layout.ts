import { columnFacts, type FocusColumnId, type FocusVersion, focusColumns } from './columns.ts'

/** What is part of an export, in the words of FOCUS: the features that make conditional columns needed. */
export const exportedFeatures: readonly string[] = [
  'usage measurement',
  'unit pricing',
  'list unit prices',
  'negotiated pricing',
  'multiple pricing categories',
  'sub accounts',
  'tags',
]

/** Columns of our own, which follow those of FOCUS. Counts and the rest are texts; none is needed to read a row. */
export const ownColumns = [
  'x_Basis',
  'x_BookVersion',
  'x_CallCount',
  'x_ChargeCount',
  'x_Meter',
  'x_ModelId',
  'x_PriceSource',
  'x_Project',
  'x_ProviderId',
  'x_ServiceTier',
  'x_Team',
  'x_TokenCacheAction',
  'x_TokenDirection',
] as const

/** Columns whose cells tell the rows of one series apart. In every other column, all rows of a series have one cell. */
export const changingColumns = [
  'BilledCost',
  'BillingPeriodEnd',
  'BillingPeriodStart',
  'ChargePeriodEnd',
  'ChargePeriodStart',
  'ConsumedQuantity',
  'ContractedCost',
  'ContractedUnitPrice',
  'EffectiveCost',
  'ListCost',
  'ListUnitPrice',
  'PricingQuantity',
  'x_CallCount',
  'x_ChargeCount',
] as const satisfies readonly ExportedColumn[]

export type ChangingColumn = (typeof changingColumns)[number]

/** A column of an export. */
export type ExportedColumn = FocusColumnId | (typeof ownColumns)[number]

/** Recommended columns that are written: the others say nothing here. */
const recommended: ReadonlySet<FocusColumnId> = new Set(['ChargeFrequency', 'ServiceSubcategory'])

/** The columns of an export, in their order. */
export const exportedColumns = (version: FocusVersion): readonly ExportedColumn[] => [
  ...(Object.keys(focusColumns) as FocusColumnId[]).filter((id) => isExported(id, version)),
  ...ownColumns,
]

const isExported = (id: FocusColumnId, version: FocusVersion): boolean => {
  const { [version]: need, where = [] } = columnFacts(id)
  if (need === undefined) return false
  if (need.need === 'conditional') return where.every((feature) => exportedFeatures.includes(feature))
  return need.need === 'mandatory' || recommended.has(id)
}

/** A row: a text or null for each column, in their order. */
export type FocusRow = readonly (string | null)[]
