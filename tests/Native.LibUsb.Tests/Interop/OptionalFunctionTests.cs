using Native.LibUsb.Tests.Library;


namespace Native.LibUsb.Tests.Interop;

/// <summary>Tests that the scenarios and the binding use the same list of newer functions.</summary>
public sealed class OptionalFunctionTests
{
    [Fact]
    public void The_scenarios_know_every_optional_function_and_its_version() =>
        Assert.Equal(
            RawSurface.OptionalFunctions.OrderBy(function => function.Key, StringComparer.Ordinal).Select(function => (function.Key, function.Value)),
            OptionalFunction.All.OrderBy(function => function.Name, StringComparer.Ordinal).Select(function => (function.Name, function.Since)));
}
