import unittest

from madhava import run_kind
from outliers import outliers


class Outliers(unittest.TestCase):
    def test_finds_what_lies_far_away(self) -> None:
        run = run_kind(outliers, {"values": [10, 11, 9, 10, 55]})
        self.assertEqual(run.result, {"median": 10, "outliers": [55]})
        self.assertEqual(run.progress[0]["percent"], 50)

    def test_refuses_an_empty_list(self) -> None:
        with self.assertRaisesRegex(TypeError, "min_length"):
            run_kind(outliers, {"values": []})
