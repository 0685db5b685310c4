-- Here the list in `delivery_ended` costs nothing.
SELECT 1;
