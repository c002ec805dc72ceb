"""Public micrographs that nobody looked at while encoders, presets or verdicts were chosen.

They were chosen by their sources alone: a public repository with an open licence, phases that grey values or published
masks tell apart, no scale bar in the window. Window and cleaning options were fixed, each after a look at the segmented
window, before anything was reconstructed, and are not changed afterwards. The pictures themselves do not come with the
project: save each under its name in a folder that MATLENS_DATA names, from the address that the benchmark gives
(``python benchmarks/likeness.py --sources``).
"""

from __future__ import annotations

from material_kinds import Published

_NIST = {
    "licence": "NIST software statement (free use; no copyright in the United States)",
    "repository": "usnistgov/grain-size-analysis-tools",
    "commit": "4d0ce9bc8eb8f74229047a60b26361da004d3cad",
}
# The repository's licence; its README names the articles that the two rock images are from.
_ROCKS = {
    "licence": "BSD-3-Clause",
    "repository": "ArashRabbani/RandomWalkFracture",
    "commit": "77bfb79086a7cb28df223d31a3146ecec33e9d5b",
}

FRESH: dict[str, Published] = {
    "eutectic": Published(
        "fresh_eutectic.tif",
        cleaning={"median": 3, "threshold": "multiotsu:3", "downsample": 6, "min_object": 10, "min_hole": 10},
        what="ternary eutectic of aluminium, copper and magnesium, SEM: lamellae and grains, three phases",
        licence="MIT",
        repository="christianpatino9/ternary_eutectic_segmentation",
        commit="17740ce8cab6be9a48a4f16543bebe1f743e8719",
        inside="test/3000X_Al-Cu_Mg EXP9 S7.tif",
        sha256="aacdc06360ae67e53d60ae07a045f0d801ff69488a42c1b4640aaa0a53d08a3c",
    ),
    # Within one colony of laths: the whole micrograph shows several, each of another direction.
    "titanium": Published(
        "fresh_titanium.tif",
        300,
        20,
        {
            "channel": "grey",
            "flatten": "gaussian:30",
            "median": 3,
            "threshold": "otsu",
            "min_object": 20,
            "min_hole": 20,
        },
        what="Ti-6Al-4V, backscattered electrons: beta laths in alpha",
        inside="ex_segmentation/sem_polished/sem_alpha_beta_ti_6al_4v.tif",
        sha256="713e96343c6e5510e0d21c9b01966abf681e8dfa5608e8d147e675e3a2d4a78f",
        **_NIST,
    ),
    # The boundaries' contrast varies; Otsu's threshold leaves most of them open.
    "ferrite": Published(
        "fresh_ferrite.tif",
        cleaning={
            "flatten": "polynomial",
            "threshold": "215",
            "invert": True,
            "downsample": 2,
            "min_object": 30,
            "min_hole": 10,
        },
        what="grains of an etched steel, light microscope: boundaries in ferrite",
        inside="ex_segmentation/optical_etched/ref_steel_micrograph/extras/grain_structures_steel.tif",
        sha256="db020902b25812e4270da62042f5d75434132529bd2800e4df70ac0587ec4b7d",
        **_NIST,
    ),
    # Below the decarburised surface layer.
    "pearlite": Published(
        "fresh_pearlite.png",
        740,
        1000,
        {"channel": "grey", "median": 3, "threshold": "otsu", "invert": True, "min_object": 20, "min_hole": 20},
        what="AISI 1045 steel, light microscope: pearlite in ferrite",
        licence="CC0-1.0",
        repository="gmarxcc/image-process-decarb",
        commit="dc75dba2380747a93b8578893200882b8307a574",
        inside="1a2str.png",
        sha256="407c7b0a804019a85cf1f341fcfa3add7d9265c79ea0c20ba2a1f7591a38fc03",
    ),
    "iron": Published(
        "fresh_iron.png",
        cleaning={
            "channel": "grey",
            "threshold": "otsu",
            "invert": True,
            "downsample": 4,
            "min_object": 12,
            "min_hole": 20,
        },
        what="ductile cast iron, light microscope: graphite nodules",
        licence="Apache-2.0",
        repository="UenoLucas/IronCastBot",
        commit="89ef8586c8b972f929a1e72ad1dd720ab17bada7",
        inside="ImagesTest/caso3_tratada_baixoContraste_c7747a8f-b4e0-4b30-9c6d-bb2c877ee40a.png",
        sha256="fed686249320a097ee8a85aebed1d08296eb0a57b060a23b293925a99663e766",
    ),
    # The crop leaves out the edges of the section and the data bar.
    "membrane": Published(
        "fresh_membrane.bmp",
        100,
        300,
        {
            "channel": "grey",
            "crop": "200:1100,380:860",
            "flatten": "gaussian:30",
            "median": 3,
            "threshold": "otsu",
            "min_object": 40,
            "min_hole": 40,
        },
        what="fractured porous polymer membrane, SEM: pores in their walls",
        licence="MIT",
        repository="JamesVonRaj/polymer-membrane-pore-analysis",
        commit="b3563635f2d85237cc3a5f990c79e004aac29297",
        inside="test_pore2.bmp",
        sha256="eae8867e0466a1c53be4989ad2b7c9ef8c3488e226ce80679ae4369830d3d7d2",
    ),
    "graphene": Published(
        "fresh_graphene.tif",
        cleaning={
            "flatten": "gaussian:20",
            "median": 5,
            "threshold": "otsu",
            "downsample": 2,
            "min_object": 30,
            "min_hole": 12,
        },
        what="graphene grown on copper, SEM: bright branched network",
        licence="MIT",
        repository="nanoMFG/unet-sem",
        commit="54d1345c01e67fc806bab7e7f68e6ecc7eceb732",
        inside="data/Set_1_Good/image<3>.tif",
        sha256="9a8b121a0adaf8621df54a9c2cc524e121ea3aa26512377c0146f0d2edb123b2",
    ),
    "hsla": Published(
        "fresh_hsla.tiff",
        0,
        300,
        {"downsample": 2},
        what="cold-rolled HSLA steel, light microscope, published mask: boundaries of coarse and fine grains",
        licence="MIT",
        repository="materialsinnovation/pymks",
        commit="9b582ddd5e120ea50d9023301577797ae5c434c3",
        inside="notebooks/image.tiff",
        sha256="3b7b1e199619b0344f63d870ab011e85cf5e8c24a7177633bc7fb49666476625",
    ),
    "agglomerates": Published(
        "fresh_agglomerates.png",
        64,
        170,
        {"downsample": 3, "invert": True},
        what="nanocomposite, SEM, published mask: agglomerates of filler in polymer",
        licence="MIT",
        repository=(
            "baiyubaiyu/Identification-of-nanocomposites-agglomerates-in-SEM-images-based-on-semantic-segmentation"
        ),
        commit="1d7b077d7f0cd59d0ebbf141bea6d1530959b486",
        inside="SEM dataset/Dataset for deeplearning/labels/10C3_0.png",
        sha256="19e462d6be77127ca2f9c6f010c9a67574172994392a1d73d9a2897e87e3e6d0",
    ),
    # The mask marks two phases in blue and red over the grey micrograph: red is 0, grey, and full scale.
    "precipitates": Published(
        "fresh_precipitates.tif",
        cleaning={"channel": "red", "threshold": "20000,50000", "downsample": 2, "min_object": 6, "min_hole": 6},
        what="nickel superalloy at 50 000 times, SEM, published mask: two populations of precipitates, three phases",
        licence="MIT",
        repository="nasa/pretrained-microscopy-models",
        commit="f50b5689a71cf6f86016fb4a5c5a2bb31e0397f3",
        inside=("benchmark_segmentation_data/Super2/different_test_annot/SE_15kv_50kx_precip - untested-2_0_mask.tif"),
        sha256="ec8b643b59cc8d3e949091837b893d9719b64ec12f3aeb8063e51cd1dd2cd8b3",
    ),
    "reservoir": Published(
        "fresh_reservoir.png",
        cleaning={"median": 3, "threshold": "multiotsu:3", "min_object": 10, "min_hole": 10},
        what="North Sea reservoir sandstone (Scott et al., 2019): pores, clay and grains, three phases",
        inside="Data/A2.png",
        sha256="5d919de18fb4ae3650d120c502db1c324244946eabd30ae7c7d1bcb081d39024",
        **_ROCKS,
    ),
    "limestone": Published(
        "fresh_limestone.png",
        cleaning={
            "channel": "grey",
            "median": 3,
            "threshold": "otsu",
            "downsample": 2,
            "min_object": 10,
            "min_hole": 10,
        },
        what="Estaillades limestone, X-ray tomography (Bultreys et al., 2015): pores in grains",
        inside="Data/A1.png",
        sha256="c0c6ddee012e5072727df7e57d97ab3393f17b5236ddcc25206bc6d3feb22d72",
        **_ROCKS,
    ),
}
