-- The same rows as before, said so that the planner knows better. Of `this agency OR every agency` it believes that one row in fifty passes: it reads and sorts
-- all that an agency has instead of walking its index for one page, and plans every query anew. Of an expression that IS NOT NULL it believes that every row passes,
-- as they do: whoever asks for an agency's rows says whose.
ALTER POLICY agency ON tickets
    USING (CASE (SELECT current_setting('opsmesh.agency')) WHEN '*' THEN true WHEN agency THEN true END IS NOT NULL);
