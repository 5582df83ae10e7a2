-- Limits on other measures than cost. The name of a limit is now the name of one of its counters, in parts: the limit;
-- its measure, where that is not cost; and whose counter it is, where it has one for each of something. Names of before
-- are names of limits on cost with one counter, and stay as they are. Amounts of holds and balances are in the smallest
-- unit of the measure.

-- settled, adjusted: JSON of how much of each measure the call used, where a hold of it is not of cost
ALTER TABLE entries ADD COLUMN used TEXT;
