-- How many bytes an object holds at the vendor, where that is known: storage is billed by them.
ALTER TABLE registry_object ADD COLUMN bytes INTEGER;
