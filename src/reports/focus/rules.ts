/** What the checker asks, by the name that a violation carries. Those without a mark are from the columns and checks of
 * FOCUS; `own` ones are stricter than it. */
export const focusRules = {
  'column-missing': 'a column that is mandatory, or that a declared feature makes needed, is there',
  'column-unknown': 'a column is one of the version, or its name begins with x_',
  'column-order': 'columns with x_ follow all others',
  'column-twice': 'no column is there twice',
  'column-name': 'a name has at most 50 characters',
  'row-shape': 'a row has the columns of the file',
  null: 'a cell is null only where its column allows that',
  'empty-text': 'what is not there is null, never an empty text',
  decimal: 'a decimal is plain: no exponent, no separators, no plus',
  'decimal-sign': 'a unit price is not negative',
  instant: 'an instant is written YYYY-MM-DDTHH:mm:ssZ, in UTC, and exists',
  currency: 'a national currency is its code of ISO 4217; a priced one may be virtual, and is some text',
  unit: 'a unit is written as `Tokens` or `1000000 Tokens`',
  'key-values': 'a key-value column is one flat JSON object with unique keys',
  json: 'a JSON column is a JSON object or array',
  'sku-price-details': 'a key of SkuPriceDetails is one of FOCUS with a value of its type, or begins with x_',
  'allowed-value': 'a column with allowed values has one of them',
  subcategory: 'ServiceSubcategory belongs to ServiceCategory',
  'billing-period': 'BillingPeriodEnd is after BillingPeriodStart',
  'charge-period': 'ChargePeriodEnd is after ChargePeriodStart',
  'charge-in-billing-period': 'the charge period lies inside the billing period',
  pricing:
    'PricingQuantity, SkuPriceId, ListUnitPrice and PricingCategory are not null for Usage and Purchase, unless it is a Correction, and null for Tax',
  consumed:
    'ConsumedQuantity is null unless the category is Usage; there it is not null, unless a commitment is unused or it is a Correction',
  'unit-of-quantity':
    'PricingUnit is null just where PricingQuantity is, and ConsumedUnit where ConsumedQuantity is',
  'list-cost': 'ListUnitPrice x PricingQuantity = ListCost, unless it is a Correction',
  'contracted-cost': 'ContractedUnitPrice x PricingQuantity = ContractedCost, unless it is a Correction',
  'sku-of-price': 'a SkuPriceId has one SkuId in the whole file',
  'third-party': 'in 1.2, BilledCost is 0 where another than the provider issues the invoice',
  'quantity-sign': 'own: a quantity is negative only in a Correction',
  'credit-sign': 'own: BilledCost and EffectiveCost of a Credit are not positive, unless it is a Correction',
} as const

/** The name of a rule. */
export type FocusRule = keyof typeof focusRules

/** What breaks a rule, and where. Rows count from 1, without the line of names. Null: the file as a whole. */
export type Violation = {
  readonly rule: FocusRule
  readonly row: number | null
  readonly column: string | null
  readonly message: string
}
