-- How many tokens of a response are expected to be read again by the one that follows it.
ALTER TABLE registry_object ADD COLUMN tokens_again INTEGER;
