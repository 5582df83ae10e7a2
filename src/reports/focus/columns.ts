/** What FOCUS says of each column of its dataset "Cost and Usage", in versions 1.2 and 1.4, in alphabetical order as the
 * specification lists them. The source is the FOCUS specification (https://focus.finops.org and
 * https://github.com/FinOps-Open-Cost-and-Usage-Spec/FOCUS_Spec, CC BY 4.0) as read on 2026-11-23: 1.2 from the tag of
 * the repository; 1.4 from the tables of its working draft, each column by the version that introduced it. */

import { serviceCategories } from './service-categories.ts'

/** The versions that are written and checked. */
export type FocusVersion = '1.2' | '1.4'

/** Whether a version has a column always, only where a feature is part of the data, or by recommendation; and whether
 * its cells may be null. */
type Need = { readonly need: 'mandatory' | 'conditional' | 'recommended'; readonly nulls: boolean }

/** A column. `kind` is what its cells are; `where` names the features (all of them) that make it needed. */
export type FocusColumn = {
  readonly kind: ColumnKind
  readonly '1.2'?: Need
  readonly '1.4'?: Need
  readonly where?: readonly string[]
  /** All values it can have. */
  readonly values?: readonly string[]
}

/** `price` is a decimal that is not negative; `key-value` a flat JSON object; `choice` one of some values. */
export type ColumnKind =
  | 'text'
  | 'choice'
  | 'decimal'
  | 'price'
  | 'instant'
  | 'currency'
  | 'unit'
  | 'key-value'
  | 'json'

const mandatory = { need: 'mandatory', nulls: false } as const
const mandatoryOrNull = { need: 'mandatory', nulls: true } as const
const conditional = { need: 'conditional', nulls: false } as const
const conditionalOrNull = { need: 'conditional', nulls: true } as const
const recommended = { need: 'recommended', nulls: false } as const
const recommendedOrNull = { need: 'recommended', nulls: true } as const

/** Every column of both versions. A version lacks those without its name. */
export const focusColumns = {
  AllocatedMethodDetails: { kind: 'json', '1.4': recommendedOrNull, where: ['split cost allocation'] },
  AllocatedMethodId: { kind: 'text', '1.4': conditionalOrNull, where: ['split cost allocation'] },
  AllocatedResourceId: { kind: 'text', '1.4': conditionalOrNull, where: ['split cost allocation'] },
  AllocatedResourceName: { kind: 'text', '1.4': conditionalOrNull, where: ['split cost allocation'] },
  AllocatedTags: { kind: 'json', '1.4': conditionalOrNull, where: ['split cost allocation'] },
  AvailabilityZone: {
    kind: 'text',
    '1.2': recommendedOrNull,
    '1.4': recommendedOrNull,
    where: ['availability zones'],
  },
  BilledCost: { kind: 'decimal', '1.2': mandatory, '1.4': mandatory },
  BillingAccountId: { kind: 'text', '1.2': mandatory, '1.4': mandatory },
  BillingAccountName: { kind: 'text', '1.2': mandatoryOrNull, '1.4': mandatoryOrNull },
  BillingAccountType: {
    kind: 'text',
    '1.2': conditional,
    '1.4': conditional,
    where: ['multiple billing account types'],
  },
  BillingCurrency: { kind: 'currency', '1.2': mandatory, '1.4': mandatory },
  BillingPeriodEnd: { kind: 'instant', '1.2': mandatory, '1.4': mandatory },
  BillingPeriodStart: { kind: 'instant', '1.2': mandatory, '1.4': mandatory },
  CapacityReservationId: {
    kind: 'text',
    '1.2': conditionalOrNull,
    '1.4': conditionalOrNull,
    where: ['capacity reservations'],
  },
  CapacityReservationStatus: {
    kind: 'choice',
    '1.2': conditionalOrNull,
    '1.4': conditionalOrNull,
    where: ['capacity reservations'],
    values: ['Used', 'Unused'],
  },
  ChargeCategory: {
    kind: 'choice',
    '1.2': mandatory,
    '1.4': mandatory,
    values: ['Usage', 'Purchase', 'Tax', 'Credit', 'Adjustment'],
  },
  ChargeClass: { kind: 'choice', '1.2': mandatoryOrNull, '1.4': mandatoryOrNull, values: ['Correction'] },
  ChargeDescription: { kind: 'text', '1.2': mandatoryOrNull, '1.4': mandatoryOrNull },
  ChargeFrequency: {
    kind: 'choice',
    '1.2': recommended,
    '1.4': recommended,
    values: ['One-Time', 'Recurring', 'Usage-Based'],
  },
  ChargePeriodEnd: { kind: 'instant', '1.2': mandatory, '1.4': mandatory },
  ChargePeriodStart: { kind: 'instant', '1.2': mandatory, '1.4': mandatory },
  CommitmentDiscountCategory: {
    kind: 'choice',
    '1.2': conditionalOrNull,
    '1.4': conditionalOrNull,
    where: ['commitment discounts'],
    values: ['Spend', 'Usage'],
  },
  CommitmentDiscountId: {
    kind: 'text',
    '1.2': conditionalOrNull,
    '1.4': conditionalOrNull,
    where: ['commitment discounts'],
  },
  CommitmentDiscountName: {
    kind: 'text',
    '1.2': conditionalOrNull,
    '1.4': conditionalOrNull,
    where: ['commitment discounts'],
  },
  CommitmentDiscountQuantity: {
    kind: 'decimal',
    '1.2': conditionalOrNull,
    '1.4': conditionalOrNull,
    where: ['commitment discounts'],
  },
  CommitmentDiscountStatus: {
    kind: 'choice',
    '1.2': conditionalOrNull,
    '1.4': conditionalOrNull,
    where: ['commitment discounts'],
    values: ['Used', 'Unused'],
  },
  CommitmentDiscountType: {
    kind: 'text',
    '1.2': conditionalOrNull,
    '1.4': conditionalOrNull,
    where: ['commitment discounts'],
  },
  CommitmentDiscountUnit: {
    kind: 'unit',
    '1.2': conditionalOrNull,
    '1.4': conditionalOrNull,
    where: ['commitment discounts'],
  },
  CommitmentProgramEligibilityDetails: {
    kind: 'json',
    '1.4': conditionalOrNull,
    where: ['commitment programs'],
  },
  ConsumedQuantity: {
    kind: 'decimal',
    '1.2': conditionalOrNull,
    '1.4': conditionalOrNull,
    where: ['usage measurement'],
  },
  ConsumedUnit: {
    kind: 'unit',
    '1.2': conditionalOrNull,
    '1.4': conditionalOrNull,
    where: ['usage measurement'],
  },
  ContractApplied: { kind: 'json', '1.4': conditionalOrNull, where: ['contract commitments'] },
  ContractedCost: { kind: 'decimal', '1.2': mandatory, '1.4': mandatory },
  ContractedUnitPrice: {
    kind: 'price',
    '1.2': conditionalOrNull,
    '1.4': conditionalOrNull,
    where: ['negotiated pricing'],
  },
  EffectiveCost: { kind: 'decimal', '1.2': mandatory, '1.4': mandatory },
  HostProviderName: { kind: 'text', '1.4': mandatory },
  InvoiceDetailId: { kind: 'text', '1.4': conditionalOrNull, where: ['payable invoices'] },
  InvoiceId: {
    kind: 'text',
    '1.2': recommendedOrNull,
    '1.4': conditionalOrNull,
    where: ['payable invoices'],
  },
  InvoiceIssuerName: { kind: 'text', '1.2': mandatory, '1.4': mandatory },
  ListCost: { kind: 'decimal', '1.2': mandatory, '1.4': mandatory },
  ListUnitPrice: {
    kind: 'price',
    '1.2': conditionalOrNull,
    '1.4': conditionalOrNull,
    where: ['list unit prices'],
  },
  PricingCategory: {
    kind: 'choice',
    '1.2': conditionalOrNull,
    '1.4': conditionalOrNull,
    where: ['multiple pricing categories'],
    values: ['Standard', 'Dynamic', 'Committed', 'Other'],
  },
  PricingCurrency: {
    kind: 'currency',
    '1.2': conditionalOrNull,
    '1.4': conditional,
    where: ['pricing and billing currency differences'],
  },
  PricingCurrencyContractedUnitPrice: {
    kind: 'price',
    '1.2': conditionalOrNull,
    '1.4': conditionalOrNull,
    where: ['virtual currency', 'list unit prices'],
  },
  PricingCurrencyEffectiveCost: {
    kind: 'decimal',
    '1.2': conditionalOrNull,
    '1.4': conditional,
    where: ['virtual currency', 'list unit prices'],
  },
  PricingCurrencyListUnitPrice: {
    kind: 'price',
    '1.2': conditionalOrNull,
    '1.4': conditionalOrNull,
    where: ['virtual currency', 'list unit prices'],
  },
  PricingQuantity: { kind: 'decimal', '1.2': mandatoryOrNull, '1.4': mandatoryOrNull },
  PricingUnit: { kind: 'unit', '1.2': mandatoryOrNull, '1.4': mandatoryOrNull },
  ProviderName: { kind: 'text', '1.2': mandatory },
  PublisherName: { kind: 'text', '1.2': mandatory },
  RegionId: { kind: 'text', '1.2': conditionalOrNull, '1.4': conditionalOrNull, where: ['regions'] },
  RegionName: { kind: 'text', '1.2': conditionalOrNull, '1.4': conditionalOrNull, where: ['regions'] },
  ResourceId: {
    kind: 'text',
    '1.2': conditionalOrNull,
    '1.4': conditionalOrNull,
    where: ['provisioned resources'],
  },
  ResourceName: {
    kind: 'text',
    '1.2': conditionalOrNull,
    '1.4': conditionalOrNull,
    where: ['provisioned resources'],
  },
  ResourceType: {
    kind: 'text',
    '1.2': conditionalOrNull,
    '1.4': conditionalOrNull,
    where: ['provisioned resources', 'resource type assignment'],
  },
  ServiceCategory: { kind: 'choice', '1.2': mandatory, '1.4': mandatory, values: serviceCategories },
  ServiceName: { kind: 'text', '1.2': mandatory, '1.4': mandatory },
  ServiceProviderName: { kind: 'text', '1.4': mandatory },
  ServiceSubcategory: { kind: 'choice', '1.2': recommended, '1.4': recommended },
  SkuId: { kind: 'text', '1.2': conditionalOrNull, '1.4': conditionalOrNull, where: ['unit pricing'] },
  SkuMeter: { kind: 'text', '1.2': conditionalOrNull, '1.4': conditionalOrNull, where: ['unit pricing'] },
  SkuPriceDetails: {
    kind: 'key-value',
    '1.2': conditionalOrNull,
    '1.4': conditionalOrNull,
    where: ['unit pricing'],
  },
  SkuPriceId: { kind: 'text', '1.2': conditionalOrNull, '1.4': conditionalOrNull, where: ['unit pricing'] },
  SubAccountId: { kind: 'text', '1.2': conditionalOrNull, '1.4': conditionalOrNull, where: ['sub accounts'] },
  SubAccountName: {
    kind: 'text',
    '1.2': conditionalOrNull,
    '1.4': conditionalOrNull,
    where: ['sub accounts'],
  },
  SubAccountType: {
    kind: 'text',
    '1.2': conditionalOrNull,
    '1.4': conditionalOrNull,
    where: ['multiple sub account types'],
  },
  Tags: { kind: 'key-value', '1.2': conditionalOrNull, '1.4': conditionalOrNull, where: ['tags'] },
} as const satisfies Readonly<Record<string, FocusColumn>>

/** A column that FOCUS defines. */
export type FocusColumnId = keyof typeof focusColumns

export const isFocusColumn = (name: string): name is FocusColumnId => Object.hasOwn(focusColumns, name)

/** A column under one type. */
export const columnFacts = (id: FocusColumnId): FocusColumn => focusColumns[id]
