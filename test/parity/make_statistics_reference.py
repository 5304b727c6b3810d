"""Writes test/studies/statistics-reference.json: Student's t and paired t tests as SciPy and statsmodels compute them.

    python test/parity/make_statistics_reference.py > test/studies/statistics-reference.json      (needs scipy and statsmodels)

The study is full-factorial, teachers x discriminator x input size x three seeds, with some results missing. Top-1 of combination i
and seed s is a made-up but fixed number of hundredths.
"""
import itertools
import json
import sys

import numpy as np
import pandas as pd
import scipy
import statsmodels
import statsmodels.api as sm
from scipy import stats

FACTORS = {"teachers": ["a", "b", "a+b"], "discriminator": ["false", "true"], "inputSize": [24, 32]}
SEEDS = [0, 1, 2]
MISSING = [("b", "true", 24, 1), ("a", "false", 32, 2), ("a+b", "true", 32, 0)]
SAMPLES = [
    [0.3, -0.1],
    [1.25, 1.5, 0.75],
    [-0.28, 0.56, -1.13, 0.85, 0.0, 0.28],
    [5.5, 5.5, 5.5, 5.51],
    [float(x) for x in np.round(np.sin(np.arange(200)) + 0.05, 6)],
    [1e6 + 0.25, 1e6 - 0.5, 1e6 + 0.75],
]


def student_t():
    return [
        {
            "df": df,
            "critical": stats.t.ppf(0.975, df),
            "p": [{"t": t, "p": 2 * stats.t.sf(t, df)} for t in (0, 1e-6, 0.3, 1, 2.5, 12, 300)],
        }
        for df in (1, 2, 3, 5, 10, 29, 100, 499, 20000, 2.5)
    ]


def of_differences(differences):
    """SciPy's paired t test, after statsmodels' regression on a constant has said the same."""
    differences = np.asarray(differences, dtype=float)
    test = stats.ttest_rel(differences, np.zeros_like(differences))
    interval = test.confidence_interval(0.95)
    fit = sm.OLS(differences, np.ones_like(differences)).fit()
    np.testing.assert_allclose(fit.conf_int()[0], [interval.low, interval.high], rtol=1e-9)
    np.testing.assert_allclose(fit.pvalues[0], test.pvalue, rtol=1e-6)
    return {
        "mean": differences.mean(),
        "std": differences.std(ddof=1),
        "n": len(differences),
        "interval": {"low": interval.low, "high": interval.high},
        "p": test.pvalue,
    }


def study():
    rows = []
    for i, combination in enumerate(itertools.product(*FACTORS.values())):
        for seed in SEEDS:
            top1 = (8000 + (937 * i + 211 * seed + 53 * i * seed + 17 * i * i) % 1201) / 100
            missing = (*combination, seed) in MISSING
            rows.append({**dict(zip(FACTORS, combination)), "seed": seed, "top1": np.nan if missing else top1})
    return pd.DataFrame(rows)


def effects(data):
    """Each level less the first one, over rows of a pivot whose index is everything else."""
    for factor, levels in FACTORS.items():
        rest = [name for name in [*FACTORS, "seed"] if name != factor]
        table = data.pivot(index=rest, columns=factor, values="top1")
        for level in levels[1:]:
            complete = table[[levels[0], level]].dropna()
            yield {
                "factor": factor,
                "level": str(level),
                "leftOut": len(table) - len(complete),
                **of_differences(complete[level] - complete[levels[0]]),
            }


def interactions(data):
    for a, b in itertools.combinations(FACTORS, 2):
        rest = [name for name in [*FACTORS, "seed"] if name not in (a, b)]
        table = data.pivot(index=rest, columns=[a, b], values="top1")
        a0, b0 = FACTORS[a][0], FACTORS[b][0]
        for la, lb in itertools.product(FACTORS[a][1:], FACTORS[b][1:]):
            cells = table[[(la, lb), (la, b0), (a0, lb), (a0, b0)]].dropna()
            differences = cells[(la, lb)] - cells[(la, b0)] - cells[(a0, lb)] + cells[(a0, b0)]
            yield {
                "factors": [a, b],
                "levels": [str(la), str(lb)],
                "leftOut": len(table) - len(cells),
                **of_differences(differences),
            }


def main():
    data = study()
    rows = json.loads(data.to_json(orient="records"))
    result = {
        "scipy": scipy.__version__,
        "statsmodels": statsmodels.__version__,
        "studentT": student_t(),
        "samples": [{"differences": sample, **of_differences(sample)} for sample in SAMPLES],
        "study": {"runs": rows, "effects": list(effects(data)), "interactions": list(interactions(data))},
    }
    json.dump(result, sys.stdout, indent=1)
    print()


main()
