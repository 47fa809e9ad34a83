import subprocess
import sys

import numpy as np
import pytest
from scipy import stats

from pruning.studies.vision.plot import curve, draw, picture
from pruning.studies.vision.points import Point


def points(arm="minimum", *, seeds=3, cycles=4, keep=0.5, part=0, drop=0.1):
    return [
        Point(arm, seed, part, cycle, keep**cycle, 0.9 - drop * cycle + 0.01 * seed, {})
        for seed in range(seeds)
        for cycle in range(cycles)
    ]


def test_a_line_and_a_band_for_each_arm():
    given = points("minimum") + points("random", drop=0.2)
    (axes,) = picture(given, title="two arms").axes
    assert [line.get_label() for line in axes.get_lines()] == ["minimum", "random"]
    assert len(axes.collections) == 2
    first, second = axes.get_lines()
    assert first.get_xdata() == pytest.approx([1, 0.5, 0.25, 0.125])
    assert first.get_ydata() == pytest.approx([91, 81, 71, 61])
    assert second.get_ydata() == pytest.approx([91, 71, 51, 31])


def test_the_axis_is_logarithmic_with_the_dense_network_on_the_left():
    (axes,) = picture(points(), title="").axes
    left, right = axes.get_xlim()
    assert axes.get_xscale() == "log"
    assert left > 1 > 0.125 > right
    assert axes.get_xticks().tolist() == [1, 0.5, 0.2]


def test_the_band_is_student_s_interval_over_the_seeds():
    (axes,) = picture(points(cycles=2), title="").axes
    corners = axes.collections[0].get_paths()[0].vertices
    half = stats.t.ppf(0.975, 2) * 1.0 / np.sqrt(3)  # 90, 91 and 92%
    dense = corners[corners[:, 0] == 1][:, 1]
    assert (dense.min(), dense.max()) == pytest.approx((91 - half, 91 + half))


def test_a_band_stays_among_shares():
    given = [Point("a", seed, 0, 0, 1.0, accuracy, {}) for seed, accuracy in enumerate((0.1, 0.99))]
    (axes,) = picture(given, title="").axes
    corners = axes.collections[0].get_paths()[0].vertices[:, 1]
    assert (corners.min(), corners.max()) == (0, 100)


def test_one_seed_has_no_band():
    (axes,) = picture(points(seeds=1), title="").axes
    assert len(axes.get_lines()) == 1 and not axes.collections


def test_densities_that_differ_between_seeds_are_averaged():
    given = [Point("a", seed, 0, 1, density, 0.5, {}) for seed, density in enumerate((0.2, 0.4))]
    (place,) = curve(given, "a")
    assert place.density == pytest.approx(0.3)


def test_one_shot_arms_are_one_line_with_the_dense_network_once():
    given = [
        point
        for part, keep in enumerate((0.1, 0.5, 0.2))
        for point in points("one-shot", cycles=2, keep=keep, part=part)
    ]
    assert [place.density for place in curve(given, "one-shot")] == pytest.approx([1, 0.5, 0.2, 0.1])


def test_labels_stand_for_the_arms_that_they_name():
    figure = picture(points("a") + points("b"), title="on top", labels={"b": "The other", "c": "Nobody"})
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["a", "The other"]
    assert figure.axes[0].get_title() == "on top"


def test_twenty_arms_look_different_and_fit(tmp_path):
    given = [
        point for number in range(20) for point in points(f"{number} arm of a long name", drop=number / 100)
    ]
    figure = picture(given, title="")
    lines = figure.axes[0].get_lines()
    styles = {(line.get_color(), line.get_linestyle(), line.get_marker(), line.get_mfc()) for line in lines}
    assert len(styles) == len(lines) == 20
    figure.savefig(tmp_path / "figure.png")
    box = figure.legends[0].get_window_extent()
    assert box.y1 <= figure.axes[0].get_tightbbox().y0 + 1  # the legend hides no line
    assert box.x0 >= 0 and box.x1 <= figure.bbox.x1


def test_an_arm_that_keeps_nothing_is_drawn(tmp_path):
    given = [*points(cycles=2), Point("minimum", 0, 0, 2, 0.0, 0.1, {})]
    (axes,) = picture(given, title="").axes
    assert axes.get_xlim()[1] > 0.4
    picture([Point("a", 0, 0, 1, 0.0, 0.1, {})], title="").savefig(tmp_path / "figure.png")


def test_the_file_is_a_png_of_its_size(tmp_path):
    import matplotlib.image

    path = tmp_path / "figure.png"
    draw(path, points(), title="a title")
    image = matplotlib.image.imread(path)
    assert image.shape[1] == 1280 and image.shape[0] > 700
    assert len(np.unique(image.reshape(-1, image.shape[2]), axis=0)) > 20  # not blank


def test_no_points_are_refused(tmp_path):
    with pytest.raises(ValueError, match="there are no points to draw"):
        draw(tmp_path / "figure.png", [], title="")
    assert not list(tmp_path.iterdir())


def test_importing_it_does_not_load_matplotlib():
    code = "import sys, pruning.studies.vision.plot; print('matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
