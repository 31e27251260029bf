using System.Reflection;
using Xunit.Sdk;
using Xunit.v3;

namespace Native.LibUsb.Tests;

/// <summary>Specifies that a theory runs with every combination of the values of its parameters. The parameters are enumerations and booleans.</summary>
public sealed class AllCombinationsAttribute : DataAttribute
{
    public override bool SupportsDiscoveryEnumeration() => true;

    public override ValueTask<IReadOnlyCollection<ITheoryDataRow>> GetData(MethodInfo testMethod, DisposalTracker disposalTracker)
    {
        IEnumerable<object[]> rows = [[]];
        foreach (ParameterInfo parameter in testMethod.GetParameters())
        {
            object[] values = ValuesOf(parameter.ParameterType);
            rows = rows.SelectMany(row => values, (row, value) => (object[])[.. row, value]);
        }

        return ValueTask.FromResult<IReadOnlyCollection<ITheoryDataRow>>([.. rows.Select(row => new TheoryDataRow(row))]);
    }

    private static object[] ValuesOf(Type type) =>
        type == typeof(bool) ? [false, true] : [.. Enum.GetValuesAsUnderlyingType(type).Cast<object>().Select(value => Enum.ToObject(type, value))];
}
