using Native.LibUsb.Generator.Output;

namespace Native.LibUsb.Generator.Tests;

public class UnifiedDiffTests
{
    [Fact]
    public void Equal_texts_have_no_difference() => Assert.Equal("", UnifiedDiff.Format("x", "a\nb\n", "a\nb\n"));

    [Fact]
    public void Hunks_carry_three_lines_of_context_and_true_line_numbers()
    {
        string before = string.Join('\n', Enumerable.Range(1, 30));
        string after = before.Replace("\n5\n", "\nfive\n", StringComparison.Ordinal).Replace("\n25\n", "\n25\nnew\n", StringComparison.Ordinal);
        Assert.Equal(
            """
            --- x (in the repository)
            +++ x (generated)
            @@ -2,7 +2,7 @@
             2
             3
             4
            -5
            +five
             6
             7
             8
            @@ -23,6 +23,7 @@
             23
             24
             25
            +new
             26
             27
             28

            """,
            UnifiedDiff.Format("x", before, after));
    }

    [Fact]
    public void Changes_that_are_near_share_a_hunk() => Assert.Equal(
        1, UnifiedDiff.Format("x", "a\n1\n2\n3\n4\n5\nb", "A\n1\n2\n3\n4\n5\nB").Split("@@ -").Length - 1);
}
