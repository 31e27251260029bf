using System.Globalization;
using System.Reflection;
using Native.LibUsb.Testing;
using Native.LibUsb.Tests.Kernel;
using Xunit.Sdk;
using Xunit.v3;

namespace Native.LibUsb.AotTests;

/// <summary>
/// Represents a test of this assembly. A method with a fact attribute is one test. A method with a theory attribute is several tests, one for each row of its
/// data.
/// </summary>
internal sealed class TestCase
{
    private static readonly DisposalTracker s_rows = new();
    private readonly Type _type;
    private readonly MethodInfo _method;
    private readonly object?[]? _arguments;

    private TestCase(Type type, MethodInfo method, object?[]? arguments, string? skip)
    {
        _type = type;
        _method = method;
        _arguments = arguments is null ? null : [.. method.GetParameters().Zip(arguments, Converted)];
        string row = arguments is null ? "" : $"({string.Join(", ", arguments.Select(argument => Convert.ToString(argument, CultureInfo.InvariantCulture) ?? "null"))})";
        Name = $"{type.Name}.{method.Name}{row}";
        Skip = skip ?? LimitOf(type, method, row);
    }

    public string Name { get; }

    /// <summary>Gets the reason why the test is skipped; null if the test runs.</summary>
    public string? Skip { get; }

    /// <summary>
    /// Gets the tests that this program runs, in a fixed order. In the QEMU machine, the result omits the tests that run the drivers on devices of the virtual
    /// bus, because other tests run the drivers on devices that QEMU emulates. Outside of the machine, the result omits the tests that need the machine.
    /// </summary>
    public static IEnumerable<TestCase> All() =>
        from type in typeof(TestCase).Assembly.GetTypes()
        where type is { IsClass: true, IsAbstract: false }
        where Machine.IsHere ? !IsDriverTest(type) : type.Namespace != typeof(Machine).Namespace
        orderby type.FullName
        from method in type.GetMethods(BindingFlags.Public | BindingFlags.Instance)
        let fact = method.GetCustomAttribute<FactAttribute>()
        where fact is not null
        from test in Rows(type, method, fact)
        select test;

    private static bool IsDriverTest(Type type) => type.Namespace?.StartsWith("Drivers.", StringComparison.Ordinal) == true;

    /// <summary>Runs the test as xunit does: on a new instance of the class, which is disposed after the test.</summary>
    public void Run()
    {
        object instance = Activator.CreateInstance(_type, BindingFlags.DoNotWrapExceptions | BindingFlags.Public | BindingFlags.Instance, null, null, null)!;
        try
        {
            if (_method.Invoke(instance, BindingFlags.DoNotWrapExceptions, null, _arguments, null) is Task task)
                task.GetAwaiter().GetResult();
        }
        finally
        {
            (instance as IDisposable)?.Dispose();
        }
    }

    /// <summary>
    /// Converts an argument to the type of the parameter, as xunit does. For example, an attribute stores 0x81 as an <see cref="int"/> even if the parameter is
    /// a <see cref="byte"/>.
    /// </summary>
    private static object? Converted(ParameterInfo parameter, object? argument) =>
        parameter.ParameterType.IsPrimitive && argument is IConvertible && argument.GetType() != parameter.ParameterType
            ? Convert.ChangeType(argument, parameter.ParameterType, CultureInfo.InvariantCulture)
            : argument;

    /// <summary>Returns the reason why the test cannot run on the bus of this process; null if the test can run.</summary>
    private static string? LimitOf(Type type, MethodInfo method, string row) =>
        VirtualBus.AutomaticHost == VirtualBusHost.Kernel
        && (method.GetCustomAttribute<PreloadOnlyAttribute>() ?? type.GetCustomAttribute<PreloadOnlyAttribute>()) is { } limit
        && (limit.Rows is null || row.Contains(limit.Rows, StringComparison.Ordinal)) ? limit.Reason : null;

    private static List<TestCase> Rows(Type type, MethodInfo method, FactAttribute fact)
    {
        if (fact is not TheoryAttribute || fact.Skip is not null)
            return [new TestCase(type, method, null, fact.Skip)];
        var rows = method.GetCustomAttributes<DataAttribute>()
            .SelectMany(data => data is MemberDataAttribute member ? RowsOf(type, member.MemberName) : data.GetData(method, s_rows).AsTask().GetAwaiter().GetResult())
            .Select(row => new TestCase(type, method, row.GetData(), row.Skip))
            .ToList();
        return rows.Count > 0 ? rows : throw new InvalidOperationException($"{type.Name}.{method.Name} is a theory without data.");
    }

    // Under Native AOT, xunit's own attribute returns no rows.
    private static IEnumerable<ITheoryDataRow> RowsOf(Type type, string member)
    {
        const BindingFlags flags = BindingFlags.Public | BindingFlags.Static | BindingFlags.InvokeMethod | BindingFlags.GetProperty | BindingFlags.DoNotWrapExceptions;
        var rows = (IEnumerable<object>)type.InvokeMember(member, flags, null, null, null, CultureInfo.InvariantCulture)!;
        return rows.Select(static row => row as ITheoryDataRow ?? new TheoryDataRow((object?[])row));
    }
}
