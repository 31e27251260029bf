namespace Native.LibUsb.Tests.SourceRules;

/// <summary>Tests that each folder of src/Native.LibUsb refers only to its own layer and to lower layers.</summary>
public sealed class LayerTests
{
    private static readonly string[][] s_layers =
    [
        ["Interop"],
        ["Errors", "Logging", "Platform", "Handles"],
        ["Descriptors"],
        ["Contexts", "Devices", "Hotplug", "Events", "Transfers", "Interfaces"],
        ["Streaming"],
    ];

    private static readonly string[][] s_two = [["Low"], ["High"]];

    [Fact]
    public void Every_folder_has_a_layer_and_every_layer_its_folders() => AssertNone(Library().FindUnmappedFolders());

    [Fact]
    public void No_folder_refers_to_a_higher_layer() => AssertNone(Library().FindViolations());

    [Theory]
    [InlineData("class A\n{\n    High _field;\n}", "Low/A.cs:3: Low (layer 1) refers to High of High (layer 2)")]
    [InlineData("class A\n{\n    int M(object o) => ((dynamic)o).X + High.Value;\n}", "Low/A.cs:3: Low (layer 1) refers to High.Value of High (layer 2)")]
    [InlineData("class A\n{\n    string M(string s) =>\n        s.Twice();\n}", "Low/A.cs:4: Low (layer 1) refers to Extensions.Twice of High (layer 2)")]
    [InlineData("class A : IEnumerable<High[]>\n{\n    public IEnumerator<High[]> GetEnumerator() => throw null!;\n    System.Collections.IEnumerator System.Collections.IEnumerable.GetEnumerator() => throw null!;\n}", "Low/A.cs:1: Low (layer 1) refers to High of High (layer 2)")]
    public void A_reference_to_a_higher_layer_is_found_with_its_line(string low, string violation) => Assert.Contains(violation, Check(low).FindViolations());

    [Theory]
    [InlineData("/// <summary>See <see cref=\"High\"/>.</summary>\nclass A;")]
    [InlineData("class A { string M() => nameof(A) + typeof(string) + \"High\"; } // High")]
    public void Comments_and_references_to_the_same_layer_are_allowed(string low) => Assert.Empty(Check(low).FindViolations());

    [Fact]
    public void A_folder_without_a_layer_and_a_layer_without_a_folder_are_found()
    {
        var check = new LayerCheck(s_two, [SourceFile.Parse("Low/A.cs", "class A;"), SourceFile.Parse("Other/B.cs", "class B;")]);
        Assert.Equal(["Other/ has no layer", "High/ has a layer and no file"], check.FindUnmappedFolders());
    }

    [Fact]
    public void Sources_that_do_not_compile_are_not_judged() => Assert.Throws<InvalidOperationException>(() => Check("class A : Missing;").FindViolations());

    private static LayerCheck Library() => new(s_layers, SourceFile.ReadAll(Repository.PathOf("src", "Native.LibUsb")));

    private static LayerCheck Check(string low) => new(
        s_two,
        [
            SourceFile.Parse("Low/A.cs", low),
            SourceFile.Parse("High/High.cs", "class High { public static int Value; }\nstatic class Extensions { public static string Twice(this string s) => s + s; }"),
        ]);

    private static void AssertNone(IReadOnlyList<string> found) => Assert.True(found.Count == 0, $"{found.Count} found:\n{string.Join('\n', found)}");
}
