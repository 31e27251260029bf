using Native.LibUsb.Generator.Clang;

namespace Native.LibUsb.Generator.Model;

/// <summary>Computes the layouts of the generated records in .NET, and compares them with the layouts in C on every target.</summary>
internal sealed class ManagedLayout
{
    private readonly ManagedTypes _types;
    private readonly IReadOnlyDictionary<Target, Dictionary<string, RecordLayout>> _layouts;

    public ManagedLayout(ManagedTypes types, IReadOnlyDictionary<Target, Dictionary<string, RecordLayout>> layouts)
    {
        _types = types;
        _layouts = layouts;
    }

    /// <summary>Gets C's layout of a record on a target.</summary>
    public RecordLayout Native(CRecord record, Target target) => _layouts[target].GetValueOrDefault(record.Name)
        ?? throw new GeneratorException($"{record.Location}: error: clang gives no layout of '{record.Name}' for {target.Triple}");

    /// <summary>
    /// Returns the required value of <c>StructLayout.Size</c>; null if the C# struct has the right size without this value. The alignment of a flexible array
    /// can add bytes at the end of the C record. The C record is then larger than the C# struct, and the value is needed.
    /// </summary>
    public int? StatedSize(CRecord record)
    {
        var sizes = Target.All.Select(target => (native: Native(record, target).Size, managed: Measure(record, target).Size)).ToList();
        if (sizes.TrueForAll(size => size.native == size.managed))
            return null;
        return sizes.Select(size => size.native).Distinct().Count() == 1 ? sizes[0].native : throw new GeneratorException(
            $"{record.Location}: error: '{record.Name}' is larger in C than its fields are in C#, and not by the same size on every target");
    }

    /// <summary>Returns the offset of the flexible array at the end of a record: one value for 64-bit pointers, and one value for 32-bit pointers.</summary>
    public (int Wide, int Narrow) FlexibleOffset(CRecord record, CField field)
    {
        ILookup<int, int> offsets = Target.All.ToLookup(target => target.PointerSize, target => Native(record, target).Fields[field.Name]);
        return offsets.All(group => group.Distinct().Count() == 1) ? (offsets[8].First(), offsets[4].First()) : throw new GeneratorException(
            $"{field.Location}: error: '{record.Name}.{field.Name}' begins at an offset that not only the size of a pointer decides");
    }

    /// <summary>Compares every field of every record with clang's layout.</summary>
    public void Verify(IEnumerable<CRecord> records, InputErrors errors)
    {
        foreach (CRecord record in records.Where(record => record.Fields is not null))
        {
            if (!errors.Try(() => Differences(record), out IReadOnlyList<string>? differences))
                continue;
            foreach (string difference in differences)
                errors.Add(difference);
        }
    }

    private List<string> Differences(CRecord record)
    {
        var differences = new List<string>();
        int? stated = StatedSize(record);
        foreach (CField field in record.Fields!.Where(field => field.Type is CArrayType { Length: null }))
            FlexibleOffset(record, field);
        foreach (Target target in Target.All)
        {
            RecordLayout native = Native(record, target);
            (int size, _, Dictionary<string, int> fields) = Measure(record, target);
            foreach ((string name, int offset) in fields)
            {
                if (native.Fields.GetValueOrDefault(name, -1) != offset)
                    differences.Add($"{record.Location}: error: '{record.Name}.{name}' is at {native.Fields.GetValueOrDefault(name, -1)} in C and at {offset} in C# for {target.Triple}");
            }

            if ((stated ?? size) != native.Size)
                differences.Add($"{record.Location}: error: '{record.Name}' has {native.Size} bytes in C and {stated ?? size} in C# for {target.Triple}");
        }

        return differences;
    }

    /// <summary>
    /// Computes the .NET layout of a blittable struct. The layout is explicit for a union and sequential for all other records. A flexible array is
    /// not a field of the C# struct.
    /// </summary>
    private (int Size, int Alignment, Dictionary<string, int> Fields) Measure(CRecord record, Target target)
    {
        var fields = new Dictionary<string, int>();
        int end = 0, alignment = 1, largest = 0;
        foreach (CField field in record.Fields!)
        {
            if (field.Type is CArrayType { Length: null })
                continue;
            (int size, int align, Dictionary<string, int>? inner) = MeasureField(field, target);
            if (record.IsPacked)
                align = 1;
            int offset = record.IsUnion ? 0 : (end + align - 1) / align * align;
            fields[field.Name] = offset;
            foreach ((string? name, int innerOffset) in inner)
                fields[$"{field.Name}.{name}"] = offset + innerOffset;
            end = offset + size;
            largest = Math.Max(largest, end);
            alignment = Math.Max(alignment, align);
        }

        return ((Math.Max(largest, 1) + alignment - 1) / alignment * alignment, alignment, fields);
    }

    private (int Size, int Alignment, Dictionary<string, int> Fields) MeasureField(CField field, Target target)
    {
        if (field.Nested is { } nested)
            return Measure(nested, target);
        if (field.Type is CArrayType { Length: { } length } array)
        {
            (int size, int alignment, Dictionary<string, int> _) = MeasureField(field with { Type = array.Element }, target);
            return (size * length, alignment, []);
        }

        if (_types.RecordOf(field.Type) is { } record)
            return Measure(record, target);
        if (field.Type is CPointerType)
            return (target.PointerSize, target.PointerSize, []);
        return _types.Map(field.Type) switch
        {
            "byte" or "sbyte" => (1, 1, []),
            "short" or "ushort" => (2, 2, []),
            "long" or "ulong" or "double" => (8, target.Int64Alignment, []),
            "CLong" or "CULong" => (target.LongSize, target.LongSize, []),
            "nint" or "nuint" => (target.PointerSize, target.PointerSize, []),
            var type when type.StartsWith("delegate*", StringComparison.Ordinal) || _types.IsCallback(type) => (target.PointerSize, target.PointerSize, []),
            _ => (4, 4, []), // int, uint, float, and every enum
        };
    }
}
