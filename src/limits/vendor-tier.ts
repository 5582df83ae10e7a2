/** The steps of a vendor's ladder, lowest first. */
export const tierNames = ['free', '1', '2', '3', '4', '5'] as const

/** A step of a vendor's ladder: an account climbs by what it has paid and by the days since it first paid. */
export type VendorTier = (typeof tierNames)[number]
